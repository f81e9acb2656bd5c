/** The path of an installed Chromium or Chrome; null when there is none. `CHROMIUM_PATH` wins. */
export function findChromium(): string | null;
