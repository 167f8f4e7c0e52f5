// What is painted: a photo, or the frames of the camera. Always with the newest settings.

import { fitted } from './photo.js';
import { Rate } from './rate.js';

const PATIENCE_MS = 2000;
const NO_MEMORY = /alloc|memory|aborted|out of bounds|array length|array buffer/i;

export class Studio {
  style;
  strength = 1; // 0 to 1
  longSide = { photo: 1024, camera: 320 }; // pixels; 0: as it is

  #engine;
  #stage;
  #camera;
  #tell;
  #photo; // { bitmap, name }
  #shown = 0; // photos so far
  #painted; // what the result was made of, see #wanted
  #painting; // { wanted, since } while a photo is in the network
  #abandoned = false;
  #busy = false;
  #again = false;

  /** `tell` has the methods busy, painted, filmed, stopped and failed. */
  constructor({ engine, stage, camera, tell }) {
    this.#engine = engine;
    this.#stage = stage;
    this.#camera = camera;
    this.#tell = tell;
  }

  /** 'empty', 'photo' or 'camera'. */
  get mode() {
    if (this.#camera.on) return 'camera';
    return this.#photo ? 'photo' : 'empty';
  }

  /** Name of the file that is painted. */
  get name() {
    return this.mode === 'photo' ? this.#photo.name : 'camera';
  }

  /** Load the style, so that the first picture need not wait for it. */
  prepare() {
    return this.#attempt(() => this.#open());
  }

  show(bitmap, name) {
    this.#photo?.bitmap.close();
    this.#photo = { bitmap, name };
    this.#shown += 1;
    return this.refresh();
  }

  /** Paint the photo with the settings as they are; of several calls meanwhile the last counts. */
  async refresh() {
    if (this.#busy) {
      this.#again = true;
      this.#abandonOld();
      return;
    }
    this.#busy = true;
    do {
      this.#again = false;
      if (this.mode === 'photo') await this.#attempt(() => this.#paint());
    } while (this.#again);
    this.#busy = false;
  }

  /** Paint frames until the camera is off. The last one stays as a photo. */
  async film() {
    this.#abandonOld();
    const rate = new Rate();
    let size;
    await this.#attempt(async () => {
      while (await this.#camera.next()) {
        size = fitted(...this.#camera.size, this.longSide.camera);
        const context = this.#stage.photoContext(...size);
        this.#camera.draw(context, ...size);
        const frame = context.getImageData(0, 0, ...size);
        const start = performance.now();
        await this.#open();
        this.#stage.showResult(await this.#run(size, () => this.#engine.frame(frame, this.strength)));
        rate.tick();
        this.#tell.filmed(size, rate.perSecond, performance.now() - start);
      }
    });
    this.#camera.stop();
    const painted = size && this.show(await createImageBitmap(this.#stage.photo), 'camera');
    this.#tell.stopped();
    await painted;
  }

  async #paint() {
    const { bitmap } = this.#photo;
    const { style, strength } = this;
    const { size, wanted } = this.#wanted();
    const start = performance.now();
    let result;
    if (this.#painted === wanted) {
      result = await this.#run(size, () => this.#engine.strength(...size, strength));
    } else {
      this.#painted = undefined;
      this.#tell.busy(style);
      const pixels = await this.#run(size, () => this.#draw(bitmap, size));
      refuseSmall(size, style.min_size_px);
      await this.#open();
      this.#painting = { wanted, since: performance.now() };
      result = await this.#run(size, () => this.#engine.photo(pixels, strength));
      this.#painted = wanted;
    }
    if (this.mode !== 'photo' || this.#photo.bitmap !== bitmap) return;
    this.#stage.showResult(result);
    this.#tell.painted(size, performance.now() - start);
  }

  /** Size of the result, and all that its network depends on, as one text. */
  #wanted() {
    const { width, height } = this.#photo.bitmap;
    const size = fitted(width, height, this.longSide.photo);
    return { size, wanted: [this.#shown, this.style.file, ...size].join() };
  }

  /** Do not wait for a large photo that nobody wants any more. */
  #abandonOld() {
    const { wanted, since } = this.#painting ?? {};
    const unwanted = this.mode === 'camera' || this.#wanted().wanted !== wanted;
    if (!since || !unwanted || performance.now() - since < PATIENCE_MS) return;
    this.#abandoned = true;
    this.#engine.abandon();
  }

  #draw(bitmap, size) {
    const context = this.#stage.photoContext(...size);
    this.#stage.clearResult();
    context.clearRect(0, 0, ...size);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, ...size);
    return context.getImageData(0, 0, ...size);
  }

  async #open() {
    try {
      await this.#engine.open(this.style.file);
    } catch (error) {
      throw new Error(`The style could not be loaded (${error.message}). Reload the page.`);
    }
  }

  async #run([width, height], work) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RangeError || NO_MEMORY.test(error.message)) {
        throw new Error(`There is not enough memory for ${width} × ${height} px. Choose a smaller size.`);
      }
      throw new Error(`The style could not be run: ${error.message}`);
    }
  }

  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      this.#painted = undefined;
      if (!this.#abandoned) this.#tell.failed(error);
    } finally {
      this.#abandoned = false;
      this.#painting = undefined;
    }
  }
}

function refuseSmall([width, height], least) {
  if (Math.min(width, height) >= least) return;
  throw new Error(`The picture is too small: ${width} × ${height} px, and the style needs ${least} each way.`);
}
