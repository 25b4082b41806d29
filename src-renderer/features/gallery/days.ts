/** Midnight that begins a day of a date field, local time; nothing for an empty field. */
export function dayStart(day: string): number | undefined {
  const time = new Date(`${day}T00:00:00`).getTime();
  return Number.isNaN(time) ? undefined : time;
}

/** The last millisecond of a day. */
export function dayEnd(day: string): number | undefined {
  const time = new Date(`${day}T23:59:59.999`).getTime();
  return Number.isNaN(time) ? undefined : time;
}

/** What a date field shows for a time: "2026-11-23". */
export function toDay(time: number | undefined): string {
  if (time === undefined) return '';
  const date = new Date(time);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
