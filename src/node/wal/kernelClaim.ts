import { listenOn, type Release } from './claimSocket.js';
import { claimSocketFile } from './socketFileClaim.js';

/**
 * A claim that the kernel frees when its process has ended.
 *
 * @param dir path of the directory.
 * @param identity of the directory, the same by whatever path.
 * @returns what gives it back, or null if it is taken, by this process or another one.
 */
export type KernelClaim = (dir: string, identity: string) => Promise<Release | null>;

/** Length of `sun_path` on Linux, in bytes. */
const sunPathLength = 108;

/**
 * The claim that suits a system, since Node has no flock.
 *
 * Linux: an abstract socket, which has no file and goes with its process. It is seen within one network
 * namespace: two containers that share a volume but no network both get their claim. It is seen by everybody in
 * there: who wants to keep the owner out can. Windows: a named pipe, likewise. Elsewhere a socket in the directory.
 */
export function kernelClaim(platform: NodeJS.Platform): KernelClaim {
  switch (platform) {
    case 'linux':
    case 'android':
      return (_dir, identity) => listenOn(abstractName(identity));
    case 'win32':
      return (_dir, identity) => listenOn(`\\\\.\\pipe\\raftstep-${identity}`);
    default:
      return claimSocketFile;
  }
}

/**
 * The name of the abstract socket, which fills `sun_path`: Node 20 binds the whole of it, zeros included, later
 * ones the characters alone, so that a shorter name would be one name for Node 20 and another for Node 22, and
 * an old and a new process would not see each other.
 */
export function abstractName(identity: string): string {
  return `\0raftstep-${identity}-`.padEnd(sunPathLength, '-');
}
