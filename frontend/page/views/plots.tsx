import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { plotColumns, type Second } from '../model/live-orders.ts';
import { durationText, numberText } from '../model/words.ts';

/** How many seconds a plot shows. */
const WIDTH_SECONDS = 60;
const HEIGHT_PX = 120;
/** How old the seconds are that are named below it. */
const AGES = [50, 40, 30, 20, 10, 0];

/** Orders per second, and how long they take, as they come. */
export function Plots({ seconds }: { seconds: readonly Second[] }) {
  const [now, setNow] = useState(() => Math.floor(Date.now() / 1000));
  useEffect(() => {
    const timer = setInterval(() => setNow(Math.floor(Date.now() / 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  // The second that has just begun is not over, and would always look low.
  const columns = plotColumns(seconds, now - 1, WIDTH_SECONDS);
  const lastOf = (values: readonly (number | null)[]) => values.findLast((value) => value !== null) ?? 0;
  return (
    <div class="plots">
      <Plot
        title="Orders per second"
        words={`${numberText(lastOf(columns.accepted))} accepted, ${numberText(lastOf(columns.settled))} settled`}
        times={columns.times}
        series={[
          { label: 'accepted', colour: '--accent', values: columns.accepted },
          { label: 'settled', colour: '--done', values: columns.settled, dashed: true },
        ]}
      />
      <Plot
        title="Time to settle (median)"
        words={durationText(lastOf(columns.latencyMs))}
        times={columns.times}
        series={[{ label: 'ms', colour: '--accent', values: columns.latencyMs }]}
      />
    </div>
  );
}

interface Series {
  readonly label: string;
  /** The name of a custom property of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly dashed?: boolean;
}

function Plot({
  title,
  words,
  times,
  series,
}: {
  title: string;
  words: string;
  times: readonly number[];
  series: readonly Series[];
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const scheme = useScheme();
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const colourOf = (name: string) => resolved(element, name);
    const axis = {
      stroke: colourOf('--soft'),
      grid: { stroke: colourOf('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        cursor: { show: false },
        legend: { show: false },
        scales: { y: { range: (_, _min, max) => [0, Math.max(max, 1) * 1.1] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            splits: ({ data: [seconds] }) => AGES.map((age) => (seconds.at(-1) ?? 0) - age),
            values: () => AGES.map((age) => (age === 0 ? 'now' : `−${age} s`)),
          },
          { ...axis, size: 44 },
        ],
        series: [
          {},
          ...series.map(({ label, colour, dashed }) => ({
            label,
            stroke: colourOf(colour),
            width: 2,
            points: { show: false },
            spanGaps: true,
            ...(dashed && { dash: [6, 4] }),
          })),
        ],
      },
      [[], ...series.map(() => [])],
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [scheme]);
  useEffect(() => {
    plot.current?.setData([times, ...series.map(({ values }) => values)] as uPlot.AlignedData);
  });
  return (
    <figure class="plot">
      <figcaption>
        <span>{title}</span> <strong>{words}</strong>
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}

/** A colour of the style sheet as a canvas knows it: what is light or dark is decided. */
function resolved(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}

/** Whether the page is dark now; a plot is painted anew when that changes. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const read = () => setDark(query.matches);
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }, []);
  return isDark;
}
