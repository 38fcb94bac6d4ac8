// ws on Node: the broadcast of its README.
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

const EVENT_BYTES = 400;
const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate: false, backlog: 4096 });
let number = 0;

function text() {
  number += 1;
  const head = `{"seq":${number},"kind":"comment.created","at":"2026-11-24T00:00:00.000Z","text":"`;
  return `{"type":"events","events":[${head}${'x'.repeat(EVENT_BYTES - head.length - 2)}"}]}`;
}

server.on('listening', () => console.log('ready'));
createInterface({ input: process.stdin }).on('line', (line) => {
  for (let left = Number(line); left > 0; left -= 1) {
    const message = text();
    for (const client of server.clients) client.send(message);
  }
});
