import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { darkNow } from '../state/theme.ts';
import type { ChartData } from './charts.ts';
import { plot } from './plot.ts';

/** A chart with its legend, in which the figures of the day under the pointer stand, and the same as a table. */
export function Chart({ data }: { data: ChartData }) {
  const { title, about, days, series, say } = data;
  const hovered = useSignal<number | null>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const dark = darkNow.value;
  useEffect(() => {
    if (!canvas.current) return undefined;
    return plot(canvas.current, data, (day) => (hovered.value = day));
  }, [data, dark]);
  const figure = (value: number | null | undefined) => (typeof value === 'number' ? say(value) : '–');
  const at = hovered.value ?? days.length - 1;
  return (
    <section class="chart" aria-label={title}>
      <h2>{title}</h2>
      <p class="quiet">{about}</p>
      <ul class="chart-legend">
        <li class="quiet">{days[at]}</li>
        {series.map(({ name, colour, values }) => (
          <li key={name}>
            <span class={`swatch ${colour}`} aria-hidden="true" />
            {name}: <b>{figure(values[at])}</b>
          </li>
        ))}
      </ul>
      <div
        class="canvas"
        ref={canvas}
        role="img"
        aria-label={`${title}. ${about} The figures are in the table.`}
      />
      <details>
        <summary>As a table</summary>
        <div class="table-room" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Day</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days.flatMap((day, row) =>
                series.every(({ values }) => typeof values[row] !== 'number')
                  ? []
                  : [
                      <tr key={day}>
                        <th scope="row">{day}</th>
                        {series.map(({ name, values }) => (
                          <td key={name}>{figure(values[row])}</td>
                        ))}
                      </tr>,
                    ],
              )}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
