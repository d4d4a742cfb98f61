import { connect, createServer } from 'node:net';

/** Gives a claim back. Resolves once it is free for the next. */
export type Release = () => Promise<void>;

/**
 * Listens on a name, which only one socket can do at a time, until released or until the process has ended:
 * the kernel closes the socket then, however it ended. Programs that the process started do not inherit it.
 *
 * @returns what closes the socket, or null if the name is taken.
 */
export function listenOn(name: string): Promise<Release | null> {
  return new Promise((resolve, reject) => {
    // Anybody may connect; nobody gets an answer, nor keeps this process alive.
    const server = createServer({ pauseOnConnect: true }, (socket) => socket.destroy());
    // It stays for good: a connection that cannot be accepted (EMFILE) is an 'error' too, and does not end the claim.
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    const release: Release = () => new Promise((closed) => server.close(() => closed()));
    // Without `exclusive`, workers of `cluster` share one socket, and each would believe to have it.
    server.listen({ path: name, exclusive: true }, () => resolve(release));
    server.unref();
  });
}

/**
 * Whether somebody listens on a socket in the file system, whose name stays behind when its process is killed.
 *
 * A system other than Linux also refuses connections while more of them wait than it allows, so an owner that
 * does not get to its event loop while hundreds ask would look dead.
 */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      // EAGAIN: more wait than Linux allows, at a socket that is there. ECONNRESET: it was there a moment ago, when we asked.
      else if (error.code === 'EAGAIN' || error.code === 'ECONNRESET') resolve(true);
      else reject(error);
    });
  });
}
