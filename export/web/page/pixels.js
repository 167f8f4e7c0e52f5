// Pixels of canvases (RGBA) and of networks (RGB). Bytes in, bytes out.

/** The colours of `rgba`, written to `rgb` if that has the right size, else to a new array. */
export function toRgb(rgba, rgb) {
  const length = (rgba.length / 4) * 3;
  const target = rgb?.length === length ? rgb : new Uint8Array(length);
  for (let from = 0, to = 0; to < length; from += 4, to += 3) {
    target[to] = rgba[from];
    target[to + 1] = rgba[from + 1];
    target[to + 2] = rgba[from + 2];
  }
  return target;
}

/**
 * Lay the colours of `rgb` over `photo`, both of the same size. `target` may be `photo` itself.
 * `share` is how much of `rgb` is seen, 0 to 1. Transparency is the photo's. `target` rounds.
 */
export function mix(photo, rgb, share, target) {
  if (share === 1) {
    for (let from = 0, to = 0; to < photo.length; from += 3, to += 4) {
      target[to] = rgb[from];
      target[to + 1] = rgb[from + 1];
      target[to + 2] = rgb[from + 2];
      target[to + 3] = photo[to + 3];
    }
    return;
  }
  const rest = 1 - share;
  for (let from = 0, to = 0; to < photo.length; from += 3, to += 4) {
    target[to] = photo[to] * rest + rgb[from] * share;
    target[to + 1] = photo[to + 1] * rest + rgb[from + 1] * share;
    target[to + 2] = photo[to + 2] * rest + rgb[from + 2] * share;
    target[to + 3] = photo[to + 3];
  }
}
