import DOMPurify from 'dompurify';
import { Marked, type Tokens } from 'marked';
import { highlight } from './highlight.ts';

const marked = new Marked({ gfm: true, breaks: true });

marked.use({
  renderer: {
    // Markup that a model writes is something it says, not something the page does: it is shown as text.
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escape(text),
    // A picture from elsewhere would tell its owner who reads what: it becomes a link.
    image: ({ href, text }: Tokens.Image) =>
      `<a href="${escape(href)}">${escape(text === '' ? href : text)}</a>`,
    code: ({ text, lang }: Tokens.Code) => {
      const language = (lang ?? '').split(/\s/, 1)[0] ?? '';
      const coloured = highlight(text, language.toLowerCase()) ?? escape(text);
      return `<pre data-language="${escape(language)}"><code>${coloured}</code></pre>`;
    },
    table(token: Tokens.Table) {
      const row = (cells: Tokens.TableCell[], tag: 'th' | 'td') =>
        `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
      const body = token.rows.map((cells) => row(cells, 'td')).join('');
      return `<div class="table"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>`;
    },
    // A list of things to do is not a form.
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
  },
});

const ALLOWED = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code'],
    ...['em', 'strong', 'del', 'a', 'span', 'div', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'class', 'start', 'data-language', 'title'],
  ALLOW_DATA_ATTR: false,
  // Their values are no addresses and need not look like one.
  ADD_URI_SAFE_ATTR: ['start', 'data-language', 'title'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
  RETURN_TRUSTED_TYPE: true as const,
};

/**
 * A model's Markdown as markup that can hold no script, no picture, no style and no form.
 * @returns trusted HTML where the browser knows it; the DOM's types still call that a string
 */
export function renderMarkdown(text: string): string {
  return DOMPurify.sanitize(marked.parse(text, { async: false }), ALLOWED) as unknown as string;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}
