import type { Arrow, Box } from './drawing.ts';
import { layOut } from './layout.ts';

/** Lays a graph out beside the page, so that the page never stands still for it. */
self.onmessage = ({ data }: MessageEvent<{ boxes: Box[]; arrows: Arrow[] }>) => {
  self.postMessage(layOut(data.boxes, data.arrows));
};
