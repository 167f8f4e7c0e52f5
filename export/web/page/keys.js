// Keys for what the buttons do, and files that are dropped or pasted.

/** `actions` maps a key to what it does. */
export function listenToKeys(actions) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('select')) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Call `take(file)` with what is dropped anywhere, or pasted. `stage` shows that it would work. */
export function listenToFiles(stage, take) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const show = (change) => {
    depth = Math.max(0, depth + change);
    stage.classList.toggle('over', depth > 0);
  };
  document.addEventListener('dragenter', () => show(1));
  document.addEventListener('dragleave', () => show(-1));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    takeFirst(event.dataTransfer.files, take);
  });
  document.addEventListener('paste', (event) => takeFirst(event.clipboardData.files, take));
}

function takeFirst(files, take) {
  if (files.length) take(files[0]);
}
