// node stylize.mjs MODEL.onnx PHOTO RESULT.png [STRENGTH]
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const [model, photo, result, strength] = process.argv.slice(2);
if (!result) {
  console.error('usage: node stylize.mjs MODEL.onnx PHOTO RESULT.png [STRENGTH]');
  process.exit(2);
}

const session = await ort.InferenceSession.create(model);

// Upright RGB bytes, row by row: what the model takes.
const { data, info } = await sharp(photo)
  .rotate()
  .flatten({ background: 'white' })
  .toColourspace('srgb')
  .raw()
  .toBuffer({ resolveWithObject: true });
const inputs = { image: new ort.Tensor('uint8', data, [1, info.height, info.width, 3]) };
// An input with a default is not among inputNames: onnxruntime would leave its value out.
const takesStrength = session.inputNames.includes('strength');
if (strength && !takesStrength) {
  console.error(`${model} takes no strength: export it with --strength --no-defaults`);
  process.exit(2);
}
if (takesStrength) {
  inputs.strength = new ort.Tensor('float32', [Number(strength ?? 1)], [1]);
}

const { stylized } = await session.run(inputs, ['stylized']);
await sharp(stylized.data, {
  raw: { width: info.width, height: info.height, channels: 3 },
}).toFile(result);
