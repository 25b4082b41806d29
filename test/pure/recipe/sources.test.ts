import { describe, expect, it } from 'vitest';
import { parseCatalog } from '../../../models/recipe/render/catalog.ts';
import { heldOutIds } from '../../../models/recipe/data/heldOut.ts';
import { parseMtl, parseObj } from '../../../models/recipe/render/loadObj.ts';
import { creditsText } from '../../../models/recipe/data/makeCredits.ts';
import { namedObjects } from '../../../models/recipe/render/objectNouns.ts';
import { mendPanorama } from '../../../models/recipe/render/panorama.ts';

describe('catalogue', () => {
  it('gathers the numbered lines of each model, whatever their order', () => {
    const text =
      'version=1.8\nname#2=Mug\nid#1=Set#chair\nname#1 = Chair\nmodel#1=/a/chair.obj\n# name#3=no\n';
    expect(parseCatalog(text)).toEqual([
      { id: 'Set#chair', name: 'Chair', model: '/a/chair.obj' },
      { name: 'Mug' },
    ]);
  });

  it('lists each model once, and holds out only listed ones', () => {
    const ids = namedObjects.map((o) => o.id);
    expect(new Set(ids).size).toBe(ids.length);
    const held = [...heldOutIds()];
    expect(held.length).toBeGreaterThanOrEqual(25);
    expect(held.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('names things in lower case ASCII', () => {
    const nouns = namedObjects.flatMap((o) => o.nouns);
    const odd = nouns.filter((n) => !/^[A-Za-z][A-Za-z -]*$/.test(n));
    expect(odd).toEqual([]);
  });

  it('credits by set and author', () => {
    const entry = { file: '', width: 1, depth: 1, height: 1 };
    const text = creditsText([
      { ...entry, id: 'Scopia/a', name: 'Vase', creator: 'Scopia', licence: 'CC BY 3.0' },
      { ...entry, id: 'Scopia/b', name: 'Bed', creator: 'Scopia', licence: 'CC BY 3.0' },
    ]);
    expect(text).toContain('## Scopia: [CC BY 3.0](https://creativecommons.org/licenses/by/3.0/)');
    expect(text).toContain('- Scopia: Bed, Vase\n');
  });
});

describe('OBJ and MTL', () => {
  it('splits polygons into fans and makes the normals that are missing', () => {
    const { mesh, materialNames, libraries } = parseObj(
      'mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nusemtl red\nf 1 2 3 4\nusemtl blue\nf -4/ -3/ -1/\n',
    );
    expect(mesh.triangles).toBe(3);
    expect([...mesh.positions.subarray(9, 18)]).toEqual([0, 0, 0, 1, 1, 0, 0, 1, 0]);
    expect([...mesh.normals.subarray(0, 3)]).toEqual([0, 0, 1]);
    expect([...mesh.material]).toEqual([0, 0, 1]);
    expect(materialNames).toEqual(['red', 'blue']);
    expect(libraries).toEqual(['a.mtl']);
  });

  it('reads colours as linear light, opacity and texture files with options and spaces', () => {
    const found = parseMtl(
      'newmtl a\nKd 0.5 1 0\nd 0.25\nmap_Kd -clamp wood floor.jpg\nnewmtl b\nKs 1 1 1\n',
    );
    const a = found.get('a');
    expect(a?.material.color[0]).toBeCloseTo(0.214, 3);
    expect(a?.material.opacity).toBe(0.25);
    expect(a?.map).toContain('floor.jpg');
    expect(found.get('b')?.material.specular).toBe(1);
  });
});

describe('panoramas', () => {
  it('mends negative, endless and single-channel pixels from their neighbours and turns the picture upright', () => {
    const width = 8;
    const height = 4;
    const rgba = new Float32Array(width * height * 4).fill(0.5);
    for (const [pixel, channel, value] of [
      [9, 0, -3],
      [12, 1, Infinity],
      [22, 2, 40],
    ] as const) {
      rgba[pixel * 4 + channel] = value;
    }
    for (const channel of [0, 1]) rgba[22 * 4 + channel] = 0.1;
    rgba.fill(0.9, 0, width * 4);
    const rgb = mendPanorama(rgba, width, height);
    expect(Math.max(...rgb)).toBeLessThanOrEqual(0.9);
    expect(Math.min(...rgb)).toBeGreaterThanOrEqual(0.1);
    expect(rgb[(3 * width + 2) * 3]).toBeCloseTo(0.9, 5);
    expect(rgb[0]).toBeCloseTo(0.5, 5);
  });
});
