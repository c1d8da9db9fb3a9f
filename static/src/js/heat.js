// Heat on a mesh: reads what the server packs, and cuts the triangles so that heat can change
// within a large one. The server's lattice is described in search/engine/explain/surface.py.

const STOPS = [
  [0.05, 0.03, 0.53],
  [0.42, 0.0, 0.66],
  [0.7, 0.17, 0.56],
  [0.88, 0.39, 0.38],
  [0.99, 0.65, 0.21],
  [0.94, 0.98, 0.13],
];

/** How far a piece is off its part: from as it should be to far off, and grey where no photo shows
 * it, which the server packs as 0. */
export const DEVIATION = {
  stops: [
    [0.52, 0.74, 0.76],
    [0.78, 0.86, 0.66],
    [0.99, 0.84, 0.33],
    [0.95, 0.5, 0.16],
    [0.8, 0.13, 0.12],
    [0.55, 0.02, 0.14],
  ],
  unseen: [0.5, 0.51, 0.53],
};

/** {sizes, heat} of "HEAT", two counts, a byte a triangle, a byte a lattice point. */
export function heatRead(buffer) {
  const head = new DataView(buffer);
  if (head.byteLength < 12 || head.getUint32(0) !== 0x48454154) throw new Error("no heat");
  const triangles = head.getUint32(4, true);
  const points = head.getUint32(8, true);
  if (head.byteLength !== 12 + triangles + points) throw new Error("heat cut short");
  return {
    sizes: new Uint8Array(buffer, 12, triangles),
    heat: new Uint8Array(buffer, 12 + triangles, points),
  };
}

/** sRGB of a byte of heat, made linear, since three.js lights in linear colours.
 *
 * With `unseen` 0 has that colour, and the stops run from 1 on.
 */
function colours(stops, unseen) {
  const table = new Float32Array(256 * 3);
  const first = unseen ? 1 : 0;
  for (let value = 0; value < 256; value++) {
    const at = (Math.max(0, value - first) / (255 - first)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++) {
      const of = stops[low][c] + (stops[low + 1][c] - stops[low][c]) * (at - low);
      const s = value < first ? unseen[c] : of;
      table[value * 3 + c] = s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    }
  }
  return table;
}

/** Positions and normals (9 a triangle) cut along the lattice, with colours.
 *
 * A triangle a, b, c of size k has its points in this order: for i in 0..k, for j in 0..k-i, at
 * a + (b - a) i / k + (c - a) j / k.
 */
export function heatPaint(positions, normals, { sizes, heat, stops = STOPS, unseen = null }) {
  if (positions.length !== sizes.length * 9) throw new Error("heat of another mesh");
  let pieces = 0;
  for (const k of sizes) pieces += k * k;
  const made = {
    position: new Float32Array(pieces * 9),
    normal: new Float32Array(pieces * 9),
    color: new Float32Array(pieces * 9),
  };
  const table = colours(stops, unseen);
  let out = 0;
  let point = 0;
  const put = (corner, i, j, k, at) => {
    const [p, q] = [i / k, j / k];
    for (const [into, of] of [
      [made.position, positions],
      [made.normal, normals],
    ]) {
      for (let axis = 0; axis < 3; axis++) {
        const a = of[corner + axis];
        into[out + axis] =
          a + (of[corner + 3 + axis] - a) * p + (of[corner + 6 + axis] - a) * q;
      }
    }
    made.color.set(table.subarray(heat[at] * 3, heat[at] * 3 + 3), out);
    out += 3;
  };
  sizes.forEach((k, triangle) => {
    const corner = triangle * 9;
    const start = point;
    // Row i begins after the rows before it, of k + 1, k, k - 1, ... points.
    const at = (i, j) => start + i * (k + 1) - (i * (i - 1)) / 2 + j;
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k - i; j++) {
        put(corner, i, j, k, at(i, j));
        put(corner, i + 1, j, k, at(i + 1, j));
        put(corner, i, j + 1, k, at(i, j + 1));
        if (j < k - i - 1) {
          put(corner, i + 1, j, k, at(i + 1, j));
          put(corner, i + 1, j + 1, k, at(i + 1, j + 1));
          put(corner, i, j + 1, k, at(i, j + 1));
        }
      }
    }
    point += ((k + 1) * (k + 2)) / 2;
  });
  return made;
}
