import { h, render } from 'preact';
import { App } from './views/app.tsx';
import { start } from './actions.ts';

const root = document.getElementById('lab');
if (root) {
  render(h(App, null), root);
  void start();
}
