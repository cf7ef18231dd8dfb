// The practice node's page: an ordinary browser client of the client REST API v2.
//
// For tests and the curious, `window.standin` has:
//   state         'idle' | 'joining' | 'waiting' (room) | 'in' | 'failed'
//   reason        why it is idle or failed again, as shown to the person
//   pc            the RTCPeerConnection while there is one
//   participantUuid, callUuid, roster (a Map from uuid to row), speaking (a Set of uuids)
//   join({conference, name, pin, sendAudio, sendVideo})  resolves once the call is acknowledged;
//                 what is left out is taken from the form; rejects with what the person is told
//   leave()       disconnects the call and releases the token
// The query prefills the form: ?conference=meet&name=Anna. `?node=https://host` joins another node.
'use strict';

(() => {
  const $ = (id) => document.getElementById(id);
  const query = new URLSearchParams(location.search);
  const node = (query.get('node') ?? location.origin).replace(/\/$/, '');

  /** Everything of one stay in a conference; thrown away as a whole when it ends. */
  let stay = null;

  const standin = {
    state: 'idle',
    reason: '',
    get pc() { return stay?.pc ?? null; },
    get participantUuid() { return stay?.uuid ?? null; },
    get callUuid() { return stay?.callUuid ?? null; },
    get roster() { return stay?.roster ?? new Map(); },
    get speaking() { return stay?.speaking ?? new Set(); },
    join,
    leave: () => end(''),
  };
  window.standin = standin;

  // ---- the API -------------------------------------------------------------------------------

  /** A refusal or a failure, in words for the person. */
  class Refused extends Error {
    constructor(message, status, result) {
      super(message);
      this.status = status;
      this.result = result;
    }
  }

  /** One request. The HTTP code and the shape of `result` decide, never `status` in the body. */
  async function request(path, { token, headers = {}, body, method = 'POST', timeout = 30_000 } = {}) {
    const init = { method, headers: { ...headers }, signal: AbortSignal.timeout(timeout) };
    if (token) init.headers.token = token;
    if (body !== undefined) {
      init.headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    let response;
    try {
      response = await fetch(path, init);
    } catch {
      throw new Refused(`The node at ${node} does not answer.`, 0);
    }
    const answer = await response.json().catch(() => null);
    if (!response.ok) {
      const result = answer?.result;
      throw new Refused(typeof result === 'string' ? result : `The node refused (${response.status}).`, response.status, result);
    }
    return answer?.result;
  }

  const conferencePath = (alias) => `${node}/api/client/v2/conferences/${encodeURIComponent(alias)}`;

  /** Asks for a token; without a PIN it is a guest where guests need none. */
  async function requestToken(base, name, pin) {
    const ask = (pin) => request(`${base}/request_token`, { headers: pin ? { pin } : {}, body: { display_name: name } });
    try {
      return await ask(pin);
    } catch (refused) {
      const asked = refused.result;
      if (refused.status !== 403 || typeof asked !== 'object' || asked === null) throw refused;
      if (asked.pin !== undefined || asked.guest_pin !== undefined) {
        if (pin) throw new Refused('That PIN is not right.', 403);
        if (asked.guest_pin === 'none') return ask('none');
        throw new Refused('This conference wants a PIN.', 403);
      }
      if (asked.conference_extension) throw new Refused('This is a Virtual Reception, which this page cannot pass.', 403);
      if (asked.idp || asked.redirect_url) throw new Refused('This conference wants a sign-in, which this page cannot do.', 403);
      throw refused;
    }
  }

  // ---- a stay --------------------------------------------------------------------------------

  async function join(options = {}) {
    if (stay) await end('');
    const wanted = {
      conference: $('conference').value.trim(),
      name: $('name').value.trim() || 'Spectator',
      pin: $('pin').value,
      sendAudio: $('send-audio').checked,
      sendVideo: $('send-video').checked,
      ...options,
    };
    const mine = {
      base: conferencePath(wanted.conference),
      conference: wanted.conference,
      roster: new Map(), seen: null, speaking: new Set(),
      candidates: [], trickles: true, queue: Promise.resolve(), timers: new Set(), over: false,
    };
    stay = mine;
    show('joining', `Joining ${wanted.conference}…`);
    try {
      mine.capture = await capture(wanted);
      adopt(mine, await requestToken(mine.base, wanted.name, wanted.pin));
      openEvents(mine);
      await call(mine);
      settle(mine);
    } catch (error) {
      await end(error.message, 'failed');
      throw error;
    }
  }

  /** Takes over a token and plans its refresh at half of its life. */
  function adopt(mine, result) {
    const life = Number(result.expires) * 1000 || 120_000;
    mine.token = result.token;
    mine.expiry = Date.now() + life;
    if (result.participant_uuid) {
      mine.uuid = result.participant_uuid;
      mine.waiting = result.current_service_type === 'waiting_room';
      mine.trickles = Number(result.version?.version_id ?? 11) > 10;
      mine.stun = result.stun ?? [];
      mine.turn = result.turn ?? [];
      mine.relayOnly = result.use_relay_candidates_only === true;
    }
    later(mine, life / 2, () => refresh(mine, 500));
  }

  async function refresh(mine, pause) {
    try {
      adopt(mine, await request(`${mine.base}/refresh_token`, { token: mine.token, timeout: 10_000 }));
    } catch (error) {
      if (mine.over) return;
      if (error.status === 403 || Date.now() > mine.expiry) end(`The node no longer knows us: ${error.message}`, 'failed');
      else later(mine, pause, () => refresh(mine, Math.min(pause * 2, 10_000)));
    }
  }

  function later(mine, milliseconds, what) {
    const timer = setTimeout(() => { mine.timers.delete(timer); if (!mine.over) what(); }, milliseconds);
    mine.timers.add(timer);
  }

  /** Leaves: the call first, then the token, and never a word lost on the person about a failure to. */
  async function end(reason, state = 'idle') {
    const mine = stay;
    stay = null;
    if (mine && !mine.over) {
      mine.over = true;
      mine.timers.forEach(clearTimeout);
      mine.events?.close();
      mine.pc?.close();
      mine.capture?.getTracks().forEach((track) => track.stop());
    }
    show(state, 'Not in a conference.', reason);
    if (!mine?.token) return;
    const quietly = (path) => request(path, { token: mine.token, body: {}, timeout: 3_000 }).catch(() => {});
    if (mine.callUuid) await quietly(`${callPath(mine)}/disconnect`);
    await quietly(`${mine.base}/release_token`);
  }

  addEventListener('pagehide', () => {
    if (stay?.token) navigator.sendBeacon(`${stay.base}/release_token?token=${encodeURIComponent(stay.token)}`);
  });

  // ---- the call ------------------------------------------------------------------------------

  const callPath = (mine) => `${mine.base}/participants/${mine.uuid}/calls/${mine.callUuid}`;

  async function capture({ sendAudio, sendVideo }) {
    if (!sendAudio && !sendVideo) return null;
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: sendAudio, video: sendVideo && { width: 640, height: 360 } });
    } catch (error) {
      throw new Refused(`The browser gives no microphone or camera: ${error.message}`, 0);
    }
  }

  async function call(mine) {
    const iceServers = [
      ...mine.stun.map(({ url }) => ({ urls: url })),
      ...mine.turn.map(({ urls, username, credential }) => ({ urls, username, credential })),
    ];
    const pc = mine.pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: mine.relayOnly ? 'relay' : 'all', bundlePolicy: 'max-bundle' });
    for (const kind of ['audio', 'video']) {
      const track = mine.capture?.getTracks().find((track) => track.kind === kind);
      pc.addTransceiver(track ?? kind, { direction: track ? 'sendrecv' : 'recvonly', streams: track ? [mine.capture] : [] });
    }
    const heard = new MediaStream();
    pc.ontrack = ({ track }) => {
      heard.addTrack(track);
      $('video').srcObject = heard;
      play();
    };
    pc.onicecandidate = ({ candidate }) => {
      if (!mine.trickles || (candidate === null)) return;
      mine.candidates.push(candidate);
      sendCandidates(mine);
    };
    pc.oniceconnectionstatechange = () => {
      if (mine.over) return;
      if (pc.iceConnectionState === 'failed') restartIce(mine);
      if (pc.iceConnectionState === 'disconnected') {
        later(mine, 2_000, () => pc.iceConnectionState === 'disconnected' && restartIce(mine));
      }
      settle(mine);
    };
    await pc.setLocalDescription();
    if (!mine.trickles) await gathered(pc);
    const result = await request(`${mine.base}/participants/${mine.uuid}/calls`, {
      token: mine.token, timeout: 60_000,
      body: { call_type: 'WEBRTC', sdp: pc.localDescription.sdp },
    });
    if (mine.over) return;
    mine.callUuid = result.call_uuid;
    await pc.setRemoteDescription({ type: 'answer', sdp: result.sdp });
    sendCandidates(mine);
    await request(`${callPath(mine)}/ack`, { token: mine.token, body: {} });
  }

  function gathered(pc) {
    return new Promise((resolve) => {
      const check = () => pc.iceGatheringState === 'complete' && resolve();
      pc.addEventListener('icegatheringstatechange', check);
      setTimeout(resolve, 3_000);
      check();
    });
  }

  /** Sends what candidates there are, one request each and in order, once the call has a name. */
  function sendCandidates(mine) {
    if (!mine.callUuid) return;
    for (const candidate of mine.candidates.splice(0)) {
      const body = { candidate: candidate.candidate, mid: candidate.sdpMid ?? '0', ufrag: candidate.usernameFragment ?? undefined };
      mine.queue = mine.queue.then(() => {
        if (mine.over || !mine.trickles) return null;
        return request(`${callPath(mine)}/new_candidate`, { token: mine.token, body });
      }).catch((error) => { if (error.status === 404) mine.trickles = false; });
    }
  }

  async function restartIce(mine) {
    if (mine.restarting || mine.over) return;
    mine.restarting = true;
    try {
      await mine.pc.setLocalDescription(await mine.pc.createOffer({ iceRestart: true }));
      const result = await request(`${callPath(mine)}/update`, { token: mine.token, body: { sdp: mine.pc.localDescription.sdp } });
      await mine.pc.setRemoteDescription({ type: 'answer', sdp: typeof result === 'string' ? result : result.sdp });
      sendCandidates(mine);
      await request(`${callPath(mine)}/ack`, { token: mine.token, body: {} });
      mine.restarting = false;
    } catch (error) {
      mine.restarting = false;
      if (error.status) end(`The call broke: ${error.message}`, 'failed');
      else later(mine, 1_000, () => restartIce(mine));
    }
  }

  /** Starts playing. The Join click is the gesture that browsers ask for; without one they may refuse. */
  function play() {
    $('video').play().then(() => { $('unblock').hidden = true; }, (error) => {
      if (error.name === 'NotAllowedError') $('unblock').hidden = false;
    });
  }

  // ---- events --------------------------------------------------------------------------------

  function openEvents(mine, attempt = 0) {
    const events = mine.events = new EventSource(`${mine.base}/events?token=${encodeURIComponent(mine.token)}`);
    const on = (name, what) => events.addEventListener(name, ({ data }) => {
      if (mine.over) return;
      let content = null;
      try { content = data ? JSON.parse(data) : null; } catch { return; }
      what(content ?? {});
    });
    events.onopen = () => { attempt = 0; };
    events.onerror = () => {
      // The browser would come back with the token of this moment; ours may be another by then.
      events.close();
      if (!mine.over) later(mine, Math.min(200 * 2 ** attempt, 10_000), () => openEvents(mine, attempt + 1));
    };
    on('participant_sync_begin', () => { mine.seen = new Set(); });
    on('participant_sync_end', () => {
      for (const uuid of mine.roster.keys()) if (mine.seen && !mine.seen.has(uuid)) mine.roster.delete(uuid);
      mine.seen = null;
      drawRoster(mine);
    });
    const upsert = (row) => {
      mine.seen?.add(row.uuid);
      mine.roster.set(row.uuid, row);
      if (row.uuid === mine.uuid) { mine.waiting = row.service_type === 'waiting_room'; settle(mine); }
      if (!mine.seen) drawRoster(mine);
    };
    on('participant_create', upsert);
    on('participant_update', upsert);
    on('participant_delete', ({ uuid }) => { mine.roster.delete(uuid); drawRoster(mine); });
    on('stage', (stage) => {
      if (!Array.isArray(stage)) return;
      mine.speaking = new Set(stage.filter(({ vad }) => vad > 0).map((place) => place.participant_uuid));
      drawRoster(mine);
    });
    for (const name of ['message_received', 'message']) on(name, drawMessage);
    on('call_disconnected', ({ call_uuid, reason }) => {
      if (call_uuid === mine.callUuid) end(`The node ended the call: ${reason ?? 'no reason given'}`, 'failed');
    });
    on('disconnect', ({ reason }) => end(`Disconnected: ${reason ?? 'no reason given'}`, 'failed'));
  }

  // ---- what the person sees ------------------------------------------------------------------

  function settle(mine) {
    if (mine.over || !mine.callUuid) return;
    const ice = mine.pc.iceConnectionState;
    if (mine.waiting) show('waiting', 'In the waiting room: a host has to let you in.');
    else if (ice === 'connected' || ice === 'completed') show('in', `In ${mine.conference}`);
    else show('joining', ice === 'disconnected' || ice === 'failed' ? 'Connection lost, trying again…' : 'Connecting…');
  }

  function show(state, text, problem = '') {
    standin.state = state;
    standin.reason = problem;
    document.body.dataset.state = state;
    $('state').textContent = text;
    const staying = stay !== null;
    $('lobby').hidden = staying;
    $('call').hidden = $('people').hidden = !staying;
    $('problem').hidden = !problem;
    $('problem').textContent = problem;
    $('cover').textContent = state === 'waiting' ? 'Waiting for the host…' : 'Connecting…';
    $('title').textContent = stay?.conference ?? 'Conference';
    $('mute-microphone').hidden = !stay?.capture?.getAudioTracks().length;
    if (!staying) {
      $('video').srcObject = null;
      $('roster').replaceChildren();
      $('messages').replaceChildren();
      $('messages').hidden = $('unblock').hidden = true;
      $('figures').textContent = $('count').textContent = '';
      if (/PIN/.test(problem)) $('pin').focus();
    }
  }

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  function drawRoster(mine) {
    const rows = [...mine.roster.values()].sort((a, b) => (a.start_time ?? 0) - (b.start_time ?? 0));
    $('count').textContent = rows.length === 1 ? '1 participant' : `${rows.length} participants`;
    $('roster').replaceChildren(...rows.map((row) => {
      const name = row.display_name || row.overlay_text || 'Unnamed';
      const item = element('li', mine.speaking.has(row.uuid) ? 'speaking' : '');
      item.dataset.uuid = row.uuid;
      const initials = name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
      const face = element('span', 'face', initials);
      face.setAttribute('aria-hidden', 'true');
      const who = element('span', 'who');
      const role = row.role === 'chair' ? 'Host' : 'Guest';
      const place = row.service_type === 'waiting_room' ? ', in the waiting room' : '';
      who.append(element('b', '', row.uuid === mine.uuid ? `${name} (you)` : name), element('i', '', role + place));
      item.append(face, who);
      if (row.is_muted === 'YES' || row.is_client_muted === true) item.append(element('span', 'mark-muted', 'muted'));
      else if (mine.speaking.has(row.uuid)) item.append(element('span', 'mark-voice', 'speaking'));
      return item;
    }));
  }

  function drawMessage({ origin, payload }) {
    const item = element('li');
    item.append(element('b', '', `${origin ?? 'Someone'}: `), String(payload ?? ''));
    $('messages').hidden = false;
    $('messages').append(item);
    while ($('messages').children.length > 50) $('messages').firstChild.remove();
  }

  /** Once a second: picture size, frames a second, packets lost; and the cover off once there is a picture. */
  let before = null;
  setInterval(async () => {
    const pc = stay?.pc;
    if (!pc || pc.connectionState !== 'connected') { before = null; return; }
    const report = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const video = report.find(({ kind }) => kind === 'video');
    const bytes = report.reduce((sum, stream) => sum + (stream.bytesReceived ?? 0), 0);
    const lost = report.reduce((sum, stream) => sum + Math.max(0, stream.packetsLost ?? 0), 0);
    const now = performance.now();
    const rate = before ? Math.round((bytes - before.bytes) * 8 / (now - before.now)) : 0;
    before = { bytes, now };
    const size = video?.frameWidth ? `${video.frameWidth}×${video.frameHeight}, ${Math.round(video.framesPerSecond ?? 0)} fps, ` : '';
    $('figures').textContent = `${size}${rate} kbit/s, ${lost} packets lost`;
  }, 1_000);

  const video = $('video');
  const uncover = () => { $('cover').hidden = video.videoWidth > 0 && video.srcObject !== null; };
  for (const name of ['resize', 'playing', 'emptied', 'loadedmetadata']) video.addEventListener(name, uncover);

  const press = (button, pressed, on, off) => {
    button.setAttribute('aria-pressed', String(pressed));
    button.textContent = pressed ? on : off;
  };
  $('mute').addEventListener('click', () => {
    video.muted = !video.muted;
    press($('mute'), video.muted, 'Sound is muted', 'Mute sound');
  });
  $('mute-microphone').addEventListener('click', () => {
    const track = stay?.capture?.getAudioTracks()[0];
    if (!track) return;
    track.enabled = !track.enabled;
    press($('mute-microphone'), !track.enabled, 'My microphone is muted', 'Mute my microphone');
  });
  $('unblock').addEventListener('click', play);
  $('leave').addEventListener('click', () => end(''));
  $('lobby').addEventListener('submit', (event) => {
    event.preventDefault();
    join().catch(() => { /* what went wrong is on the page already */ });
  });

  if (query.has('conference')) $('conference').value = query.get('conference');
  if (query.has('name')) $('name').value = query.get('name');

  /** What the practice node offers; another node has no such list, and the plain field serves. */
  fetch(`${node}/node/conferences.json`).then((response) => response.ok ? response.json() : []).then((list) => {
    if (!Array.isArray(list)) return;
    $('conferences').replaceChildren(...list.map(({ alias }) => Object.assign(document.createElement('option'), { value: alias })));
    if (list.length > 1) {
      $('offered').replaceChildren(...list.map(({ alias, participants }) => {
        const item = element('li');
        const button = element('button', '', participants ? `${alias} · ${participants}` : alias);
        button.type = 'button';
        button.addEventListener('click', () => { $('conference').value = alias; });
        item.append(button);
        return item;
      }));
    }
    if (!query.has('conference') && list[0] && !list.some(({ alias }) => alias === $('conference').value)) $('conference').value = list[0].alias;
  }).catch(() => {});
})();
