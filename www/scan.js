// Reads QR codes from the camera: the browser's own reader where it has one, else jsQR, loaded only then.
// Does not know what a code means; it hands whatever it reads to the caller, as text or, where asked for, as bytes.

const EVERY_MS = 180;
const LONGEST_SIDE = 800; // jsQR on larger pictures is slow and reads no better

/** True when there is a camera to ask for. Says nothing about permission. */
export async function hasCamera() {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.some((device) => device.kind === "videoinput");
  } catch {
    return false;
  }
}

/** Shows the camera in `video` and calls `onCode` for each code seen. Resolves to a function that stops it. */
export async function startScan(video, onCode, { bytes = false } = {}) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment" } });
  let timer;
  let stopped = false;
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    const read = bytes ? await byteReader() : await reader();
    video.srcObject = stream;
    await video.play();
    const look = async () => {
      const code = await read(video).catch(() => undefined);
      if (stopped) return;
      if (code?.length) onCode(code);
      if (!stopped) timer = setTimeout(look, EVERY_MS);
    };
    look();
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

async function reader() {
  const native = "BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats().catch(() => [])).includes("qr_code");
  if (native) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const read = await pictureReader();
  return async (video) => read(video)?.data;
}

/** The browser's own reader gives texts only, and bytes that are none are lost in them. */
async function byteReader() {
  const read = await pictureReader();
  return async (video) => {
    const found = read(video);
    return found && new Uint8Array(found.binaryData);
  };
}

async function pictureReader() {
  const { default: jsQR } = await import("./vendor/jsqr.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (!canvas.width || !canvas.height) return undefined;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(picture.data, picture.width, picture.height, { inversionAttempts: "dontInvert" }) ?? undefined;
  };
}

/** A sentence for what getUserMedia says. */
export function cameraSentence(error) {
  if (error?.name === "NotAllowedError") return "The camera may not be used here. Allow it for this site, or paste the text instead.";
  if (error?.name === "NotFoundError" || error?.name === "OverconstrainedError") return "There is no camera here. Paste the text instead.";
  return "The camera could not be started. Paste the text instead.";
}
