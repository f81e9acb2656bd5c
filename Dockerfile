# A server for compose.yaml. The README's way, `npm ci && npm start`, needs none of this.
FROM node:22-bookworm-slim AS build
WORKDIR /ccc
COPY package.json package-lock.json .npmrc ./
COPY tools ./tools
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=5111 CCC_DATA_DIR=/data
WORKDIR /ccc
COPY --from=build /ccc/package.json ./
COPY --from=build /ccc/node_modules ./node_modules
COPY --from=build /ccc/dist ./dist
COPY --from=build /ccc/public ./public
COPY --from=build /ccc/database ./database
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 5111
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:5111/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
