/** What Chromium may be granted, and Electron grants unless the app refuses. */
export const permissions = [
  'camera',
  'clipboard-read',
  'clipboard-write',
  'geolocation',
  'microphone',
  'midi',
  'notifications',
] as const;

type Decide = (granted: boolean) => void;
type RequestHandler = (contents: unknown, permission: string, decide: Decide) => void;
type CheckHandler = (contents: unknown, permission: string) => boolean;
type BeforeRequest = (details: { url: string }, decide: (outcome: { cancel?: boolean }) => void) => void;
type Serve = (request: Request) => Response | Promise<Response>;

class Session {
  private request: RequestHandler | undefined;
  private check: CheckHandler | undefined;
  private before: BeforeRequest | undefined;

  readonly webRequest = { onBeforeRequest: (listener: BeforeRequest) => (this.before = listener) };

  setPermissionRequestHandler(handler: RequestHandler): void {
    this.request = handler;
  }

  setPermissionCheckHandler(handler: CheckHandler): void {
    this.check = handler;
  }

  setDevicePermissionHandler(): void {
    // Chromium without a window has no chooser for devices.
  }

  /** Those that the page has: all that neither handler refuses. */
  granted(): string[] {
    return permissions.filter((permission) => {
      const decided: boolean[] = [];
      this.request?.({}, permission, (granted) => decided.push(granted));
      return !decided.includes(false) && (this.check?.({}, permission) ?? true);
    });
  }

  refusesPermissions(): { request: boolean; check: boolean } {
    return { request: this.request !== undefined, check: this.check !== undefined };
  }

  cancels(url: string): boolean {
    let cancelled = false;
    this.before?.({ url }, ({ cancel = false }) => (cancelled = cancel));
    return cancelled;
  }
}

export const session = { defaultSession: new Session() };

export const schemes: { scheme: string; privileges: object }[] = [];
export const served = new Map<string, Serve>();
export const protocol = {
  registerSchemesAsPrivileged: (given: typeof schemes) => void schemes.push(...given),
  handle: (scheme: string, serve: Serve) => void served.set(scheme, serve),
};

/** Chromium knows no schemes of ours: `likeness://studio/x` is `https://studio.likeness.test/x` there. */
export function toChromium(url: string): string {
  return url.replace(/^([a-z]+):\/\/([^/]+)/, (whole, scheme: string, host: string) =>
    served.has(scheme) ? `https://${host}.${scheme}.test` : whole,
  );
}

export function fromChromium(url: string): string {
  return url.replace(/^https:\/\/([^/]+)\.([a-z]+)\.test/, (whole, host: string, scheme: string) =>
    served.has(scheme) ? `${scheme}://${host}` : whole,
  );
}
