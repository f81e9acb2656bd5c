import express, { type RequestHandler } from 'express';

/** The Resonant Loop Lab, from `public/`. `/` shows it as well. */
export function staticPage(publicFolder: string): RequestHandler {
  return express.static(publicFolder, {
    index: 'resonant_loop_lab.html',
    redirect: false,
    dotfiles: 'ignore',
    // Files keep their names from build to build, so a browser has to ask each time; the etag makes that cheap.
    cacheControl: false,
    setHeaders: (res) => {
      res.setHeader('cache-control', 'no-cache');
    },
  });
}
