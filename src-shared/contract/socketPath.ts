/** Path of the WebSocket, seen from the page. A file of its own: the page takes this alone, without the validators. */
export const socketPath = '/contract';
