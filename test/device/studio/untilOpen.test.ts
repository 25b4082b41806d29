import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { untilOpen } from '../../../src-main/ipc/untilOpen.ts';

it('what comes before anybody listens is answered once somebody does, and not twice', async () => {
  const server = http.createServer();
  const handOn = untilOpen(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const page = fetch(`http://${address}/`);
  await once(server, 'request');
  const socket = new WebSocket(`ws://${address}/`);
  const talk = once(socket, 'message');
  await once(server, 'upgrade');

  let times = 0;
  const sockets = new WebSocketServer({ noServer: true });
  server.on('request', (_request, response) => {
    times++;
    response.end('here');
  });
  server.on('upgrade', (request, plain, head) => {
    times++;
    sockets.handleUpgrade(request, plain, head, (opened) => opened.send('here too'));
  });
  handOn();
  expect(await (await page).text()).toBe('here');
  expect(String((await talk)[0])).toBe('here too');
  expect(await (await fetch(`http://${address}/`)).text()).toBe('here');
  expect(times).toBe(3);
  socket.terminate();
  server.close();
  server.closeAllConnections();
});
