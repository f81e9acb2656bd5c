import express, { Router } from 'express';

/** The Resonant Loop Lab, from `public/`. `/` shows it as well. */
export function staticPage(publicFolder: string): Router {
  const router = Router({ caseSensitive: true });
  // Files keep their names from build to build, so a browser has to ask each time; the etag makes that cheap.
  const cacheControl = { cacheControl: false, headers: { 'cache-control': 'no-cache' } };
  router.get('/', (_req, res) => {
    res.sendFile('resonant_loop_lab.html', { root: publicFolder, ...cacheControl });
  });
  router.use(
    express.static(publicFolder, {
      index: false,
      redirect: false,
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders: (res) => {
        res.setHeader('cache-control', 'no-cache');
      },
    }),
  );
  return router;
}
