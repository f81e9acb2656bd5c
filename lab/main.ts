import { h, render } from 'preact';
import { start } from './actions/places.ts';
import { followSettings } from './state/settings.ts';
import { followView } from './state/view.ts';
import { App } from './views/app.tsx';

const root = document.getElementById('lab');
if (root) {
  followSettings();
  followView();
  render(h(App, null), root);
  void start();
}
