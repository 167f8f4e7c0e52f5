// Photos: decoding, sizes, saving.

const NO_PICTURE = 'cannot be read as a picture. Try a JPEG, PNG or WebP file.';

/** Decode a file, upright. Throws an Error for people. */
export async function decode(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || 'This file'} ${NO_PICTURE}`);
  }
}

/** Width and height with the longer side at most `longSide`; 0 leaves them as they are. */
export function fitted(width, height, longSide) {
  const scale = longSide ? Math.min(1, longSide / Math.max(width, height)) : 1;
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** `beach.jpg` in the style `waves` is saved as `beach.waves.png`. */
export function resultName(photo, style) {
  const stem = photo.replace(/\.[^.]*$/, '') || 'photo';
  return `${stem}.${style}.png`;
}

/** Hand a canvas to the browser as a PNG file. */
export async function save(canvas, name) {
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
  if (!blob) throw new Error('The picture is too large to be saved. Choose a smaller size.');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
