import type { Box } from '../../src-shared/domain/box.ts';

/** Boxes that a subject can be put into. */
export const places = {
  left: { left: 0, top: 0, right: 0.5, bottom: 1 },
  right: { left: 0.5, top: 0, right: 1, bottom: 1 },
  leftThird: { left: 0, top: 0, right: 1 / 3, bottom: 1 },
  middleThird: { left: 1 / 3, top: 0, right: 2 / 3, bottom: 1 },
  rightThird: { left: 2 / 3, top: 0, right: 1, bottom: 1 },
  top: { left: 0, top: 0, right: 1, bottom: 0.5 },
  bottom: { left: 0, top: 0.5, right: 1, bottom: 1 },
  lowerLeft: { left: 0, top: 0.4, right: 0.5, bottom: 1 },
  lowerRight: { left: 0.5, top: 0.4, right: 1, bottom: 1 },
} as const satisfies Readonly<Record<string, Box>>;
export type PlaceName = keyof typeof places;

export const placeNames = Object.keys(places) as PlaceName[];

/** Where subject `index` of so many is, until somebody says otherwise. */
export function firstPlace(index: number, count: number): PlaceName {
  const rows: readonly PlaceName[] =
    count === 2 ? ['left', 'right'] : ['leftThird', 'middleThird', 'rightThird'];
  return rows[index % rows.length] ?? 'left';
}
