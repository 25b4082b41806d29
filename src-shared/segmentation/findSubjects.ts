import { ColourMixture } from './colourMixture.ts';
import { cutByColours, grabCut, known, type Colours, type Rgb } from './grabCut.ts';
import { subjectOdds, type Look } from './looks.ts';
import { coarseSide, partsOf, refined, shrunk } from './snapToEdge.ts';

/** The ellipse that a subject is looked for in: nearly all of the photo, as shares of its half width and half height. */
const ellipse = { x: 0.94, y: 0.96 };
/** Cuts in which the photos share their subject's colours. */
const sharedRounds = 3;
/** Log-odds at which a look is believed, whatever was found: such pixels' colours are learnt as the background's. */
const believed = -2.5;
/** Pixels of each photo that the shared colours are learnt from. */
const samples = 3000;
/** A smaller share of the photo is no subject that others could learn from. */
const leastSubject = 0.02;
/** Parts smaller than this share of the largest are none of the subject; holes up to this share of the photo belong to it. */
const parts = { least: 0.15, hole: 0.05 };

/**
 * Where the subject of each photo probably is, without anything marked: 0 or 255 for each pixel. The subject is what stands out from the
 * photo's rim (GrabCut in an ellipse that leaves out little but the corners) and has the same colours in all of them: mixtures of
 * the subject's colours are learnt from all photos at once, those of the background from each (cosegmentation, as in iCoseg:
 * Batra et al. 2010). With `looks`, it also looks like the other photos' subjects. All zeros where nothing stands out. Photos are looked at
 * with `coarseSide` pixels, and the edge is found again at their own size.
 */
export function findSubjects(photos: readonly Rgb[], looks?: readonly Look[]): Uint8Array[] {
  const small = photos.map((photo) => shrunk(photo, coarseSide));
  const trimaps = small.map(insideEllipse);
  const first = small.map((photo, i) => grabCut(photo, trimaps[i] as Uint8Array));
  let found = first.map(({ subject }) => subject);
  const colours = first.map((cut) => cut.colours);
  const share = (odds?: readonly Float32Array[]): void => {
    const shared = sharedColours(small, found, odds);
    if (!shared) return;
    found = small.map((photo, i) => {
      const now = found[i] as Uint8Array;
      if (!now.includes(0)) return now;
      const told = odds?.[i];
      const isBackground = (pixel: number): boolean => now[pixel] === 0 || (told?.[pixel] ?? 0) < believed;
      const own: Colours = { subject: shared, background: ColourMixture.of(photo.data, isBackground) };
      colours[i] = own;
      return cutByColours(photo, trimaps[i] as Uint8Array, own, told);
    });
  };
  if (photos.length > 1) {
    for (let round = 0; round < sharedRounds; round++) share();
    found = found.map((subject, i) => mainParts(subject, small[i] as Rgb));
    if (looks) share(subjectOdds(looks, small, found));
  }
  return photos.map((photo, i) => {
    const coarse = small[i] as Rgb;
    const subject = mainParts(found[i] as Uint8Array, coarse);
    const both = colours[i];
    return both && photo.width !== coarse.width
      ? refined(photo, subject, coarse, both)
      : subject.map((value) => 255 * value);
  });
}

function insideEllipse({ width, height }: Rgb): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const x = (((at % width) + 0.5) / width) * 2 - 1;
    const y = ((Math.floor(at / width) + 0.5) / height) * 2 - 1;
    return (x / ellipse.x) ** 2 + (y / ellipse.y) ** 2 <= 1 ? known.unknownSubject : known.background;
  });
}

/** The subject's colours in all photos, each counted alike; none where no photo shows enough of it. */
function sharedColours(
  photos: readonly Rgb[],
  found: readonly Uint8Array[],
  odds?: readonly Float32Array[],
): ColourMixture | undefined {
  const colours = photos.flatMap(({ data }, i) => {
    const isSubject = (at: number): boolean => found[i]?.[at] === 1 && (odds?.[i]?.[at] ?? 0) >= believed;
    const inside = [...(found[i] as Uint8Array).keys()].filter(isSubject);
    if (inside.length < (leastSubject * data.length) / 3) return [];
    return Array.from({ length: samples }, (_, k) => {
      const at = inside[Math.floor(((k + 0.5) * inside.length) / samples)] as number;
      return [...data.subarray(3 * at, 3 * at + 3)];
    });
  });
  return colours.length > 0 ? ColourMixture.of(Uint8Array.from(colours.flat()), () => true) : undefined;
}

/** The largest connected part and those that are not much smaller, without holes. */
function mainParts(subject: Uint8Array, { width, height }: Rgb): Uint8Array {
  const found = partsOf(subject, 1, width, height);
  const largest = Math.max(0, ...found.map((part) => part.length));
  const kept = new Uint8Array(subject.length);
  for (const part of found) if (part.length >= parts.least * largest) for (const at of part) kept[at] = 1;
  for (const hole of partsOf(kept, 0, width, height))
    if (hole.length <= parts.hole * subject.length) for (const at of hole) kept[at] = 1;
  return kept;
}
