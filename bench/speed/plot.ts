import { titleOf, type GatewayRow } from './gateways.ts';

const WIDTH = 760;
const LABELS = 150;
const BAR = 18;
const GAP = 6;
const TITLE = 34;
const RIGHT = 110;

/**
 * Requests a second of each target, one group of bars for each scenario, as an SVG. The scale is logarithmic: direct and
 * the slowest are three orders of magnitude apart.
 */
export function plotGateways(rows: readonly GatewayRow[], machine: string): string {
  const titles = [...new Set(rows.map(titleOf))];
  const most = Math.max(10, ...rows.map(({ requestsPerSecond }) => requestsPerSecond.highest));
  const scale = (value: number) =>
    ((WIDTH - LABELS - RIGHT) * Math.log10(Math.max(1, value))) / Math.log10(most);
  const parts: string[] = [];
  let y = TITLE;
  for (const title of titles) {
    parts.push(text(0, y + 14, title, 'group'));
    y += 24;
    for (const row of rows.filter((each) => titleOf(each) === title)) {
      const { median, lowest, highest } = row.requestsPerSecond;
      const [from, to] = [LABELS + scale(lowest), LABELS + scale(highest)];
      const middle = y + BAR / 2;
      parts.push(
        text(LABELS - 8, middle + 4, row.target, 'label'),
        `<rect x="${String(LABELS)}" y="${String(y)}" width="${scale(median).toFixed(1)}" height="${String(BAR)}" class="${row.target.startsWith('CCC') ? 'ours' : 'other'}"/>`,
        `<path d="M${from.toFixed(1)} ${String(middle)}H${to.toFixed(1)}" class="spread"/>`,
        text(to + 6, middle + 4, `${Math.round(median).toLocaleString('en')}/s`, 'value'),
      );
      y += BAR + GAP;
    }
    y += 12;
  }
  const described = text(0, y + 10, machine, 'value');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(y + 24)}" role="img" aria-label="Requests a second through each gateway">
<style>text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.group{font-weight:600}.label{text-anchor:end}.value{fill:#57606a}.ours{fill:#2f6f4f}.other{fill:#b6bec6}.spread{stroke:#24292f;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.value{fill:#9da7b1}.ours{fill:#4fae7f}.other{fill:#57606a}.spread{stroke:#e6edf3}}</style>
${text(0, 16, 'Requests a second (logarithmic; the line is the spread of the rounds)', 'title')}
${parts.join('\n')}
${described}
</svg>
`;
}

function text(x: number, y: number, words: string, kind: string): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" class="${kind}">${safe}</text>`;
}
