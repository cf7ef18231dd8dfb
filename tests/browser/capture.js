// Runs in the page before the page's own scripts, and changes nothing it does:
// notes its peer connections, and on request keeps what its first audio track sounds like and its video shows.
(() => {
  const peers = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...settings) {
      super(...settings);
      peers.push(this);
    }
  };

  const RATE = 48000;
  const WIDTH = 640, HEIGHT = 360;
  const MOST_PICTURES = 480;
  const sound = [];
  const pictures = [];

  const base64 = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) {
      text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    }
    return btoa(text);
  };

  const track = (kind) => peers
    .filter((peer) => peer.connectionState !== "closed")
    .flatMap((peer) => peer.getReceivers())
    .map((receiver) => receiver.track)
    .findLast((candidate) => candidate.kind === kind && candidate.readyState === "live");

  const shown = () => [...document.querySelectorAll("video")].find((candidate) => candidate.videoWidth > 0);

  // A worklet, because the page's own thread is busy with pictures.
  const WORKLET = `registerProcessor("keep", class extends AudioWorkletProcessor {
    constructor() { super(); this.kept = []; }
    process([[channel]]) {
      this.kept.push(...(channel || new Float32Array(128)));
      if (this.kept.length >= 4800) {
        this.port.postMessage(Int16Array.from(this.kept, (s) => Math.max(-1, Math.min(1, s)) * 32767));
        this.kept = [];
      }
      return true;
    }
  });`;

  const listen = async (audio) => {
    const context = new AudioContext({ sampleRate: RATE });
    await context.audioWorklet.addModule("data:text/javascript," + encodeURIComponent(WORKLET));
    const keep = new AudioWorkletNode(context, "keep", { channelCount: 1, channelCountMode: "explicit" });
    keep.port.onmessage = ({ data }) => sound.push(data);
    const quiet = new GainNode(context, { gain: 0 });
    context.createMediaStreamSource(new MediaStream([audio])).connect(keep).connect(quiet).connect(context.destination);
    await context.resume();
    window.capture.context = context;
  };

  const watch = (video) => {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    const keep = (now) => {
      if (pictures.length >= MOST_PICTURES) return;
      brush.drawImage(video, 0, 0, WIDTH, HEIGHT);
      const { data } = brush.getImageData(0, 0, WIDTH, HEIGHT);
      const luma = new Uint8Array(WIDTH * HEIGHT);
      for (let at = 0; at < luma.length; at += 1) {
        // BT.601, limited range, as VP8 and its decoders have it.
        luma[at] = 16.5 + 0.25679 * data[4 * at] + 0.50413 * data[4 * at + 1] + 0.09791 * data[4 * at + 2];
      }
      pictures.push({ at: now / 1000, luma });
      video.requestVideoFrameCallback(keep);
    };
    video.requestVideoFrameCallback(keep);
  };

  window.capture = {
    peers,
    /// Begins to keep sound and pictures; false while the page has no audio track or no playing video.
    async start() {
      const audio = track("audio");
      const video = shown();
      if (!audio || !video) return false;
      await listen(audio);
      watch(video);
      return true;
    },
    /// What is kept so far.
    amount: () => ({ samples: sound.reduce((sum, part) => sum + part.length, 0), pictures: pictures.length }),
    /// Lets go of all that is kept, to begin anew.
    forget() {
      sound.length = 0;
      // Pictures are asked for by each other: when there were too many, the last of them asked for none.
      const full = pictures.length >= MOST_PICTURES;
      pictures.length = 0;
      if (full) watch(shown());
    },
    /// All sound from a block on: 16-bit little-endian mono, and the number of the next block.
    sound: (from) => {
      const bytes = sound.slice(from).map((part) => new Uint8Array(part.buffer));
      const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of bytes) {
        all.set(part, at);
        at += part.length;
      }
      return base64(all);
    },
    /// Up to `count` pictures from one on.
    pictures: (from, count) => pictures.slice(from, from + count).map(({ at, luma }) => ({ at, luma: base64(luma) })),
    /// One figure of the outbound video, as getStats tells it.
    async sent(figure) {
      for (const peer of peers) {
        for (const report of (await peer.getStats()).values()) {
          if (report.type === "outbound-rtp" && report.kind === "video") return report[figure];
        }
      }
      return 0;
    },
    /// The inbound streams of all peer connections, as getStats tells them.
    async stats() {
      const inbound = [];
      for (const peer of peers) {
        if (peer.connectionState === "closed") continue;
        const reports = await peer.getStats();
        for (const report of reports.values()) {
          if (report.type === "inbound-rtp") inbound.push({ ...report, mimeType: reports.get(report.codecId)?.mimeType });
        }
      }
      return inbound;
    },
  };
})();
