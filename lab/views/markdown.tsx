import { useLayoutEffect, useRef } from 'preact/hooks';
import { renderMarkdown } from '../text/markdown.ts';

/** A text by a model or a person, rendered. Nothing in it can run, load or style anything. */
export function Markdown({ text }: { text: string }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.innerHTML = renderMarkdown(text);
    for (const link of box.current.querySelectorAll('a')) {
      link.target = '_blank';
      link.rel = 'noopener noreferrer';
    }
    for (const block of box.current.querySelectorAll('pre')) addCopyButton(block);
  }, [text]);
  return <div class="markdown" ref={box} />;
}

function addCopyButton(block: HTMLPreElement): void {
  const frame = document.createElement('div');
  frame.className = 'code';
  const head = document.createElement('div');
  head.className = 'code-head';
  const language = document.createElement('span');
  language.textContent = block.dataset['language'] ?? '';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'small';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy the code');
  button.onclick = () => void copy(button, block.textContent);
  head.append(language, button);
  block.tabIndex = 0;
  block.replaceWith(frame);
  frame.append(head, block);
}

async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Not allowed';
  }
  window.setTimeout(() => (button.textContent = 'Copy'), 2_000);
}
