const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** "45 s", "2 min", "1 h 20 min", "7½ h", "2½ days". */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes > 36 * 60) return `${halves(minutes / 60 / 24)} days`;
  if (minutes > 6 * 60) return `${halves(minutes / 60)} h`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** To the nearest half: "2½". */
function halves(value: number): string {
  const twice = Math.round(2 * value);
  return `${Math.floor(twice / 2).toLocaleString('en')}${twice % 2 === 0 ? '' : '½'}`;
}

/** "1.2 GB", decimal as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : String(Math.round(value))} ${units[power] ?? ''}`;
}

/** "12.3 M" */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat().format(value);
}

export function formatTime(ms: number): string {
  return time.format(ms);
}
