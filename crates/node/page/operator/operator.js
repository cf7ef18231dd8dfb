// The operator's page: reads state.json once a second and shows it. For tests, `window.operator` has
// `state` (the last one read) and `chosen` (the uuid of the participant that is shown).
'use strict';

(() => {
  const EVERY = 1000;
  const SAMPLES = 60;
  const $ = (id) => document.getElementById(id);

  // The token is taken out of the address, so that it is not seen there or copied with it.
  const query = new URLSearchParams(location.search);
  if (query.has('token')) {
    sessionStorage.setItem('operator-token', query.get('token'));
    history.replaceState(null, '', location.pathname);
  }
  const token = sessionStorage.getItem('operator-token');
  const operator = { state: null, chosen: location.hash.slice(1) || null };
  window.operator = operator;
  /** Bit rates of the last minute: from a call's uuid and a direction to numbers. */
  const history60 = new Map();
  /** The pictures counted at the state before, for pictures a second. */
  const counted = new Map();
  let log = null;

  // ---- elements ------------------------------------------------------------------------------

  /** Makes an element; texts of strangers only ever become text. */
  function h(name, attributes = {}, ...children) {
    const svg = name === 'svg' || name === 'polyline';
    const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map((child) => child instanceof Node ? child : String(child)));
    return element;
  }

  /** Makes `old` look like `fresh` and leaves alone what is the same: focus, selection and scroll stay. */
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
    if (old.nodeType === Node.TEXT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
    after.forEach((child, at) => { if (before[at]) morph(before[at], child); else old.append(child); });
    before.slice(after.length).forEach((child) => child.remove());
  }

  const fill = (place, ...children) => morph(place, (() => { const copy = place.cloneNode(false); copy.append(...children.flat(Infinity).filter(Boolean)); return copy; })());

  // ---- words ---------------------------------------------------------------------------------

  const time = (unix) => new Date(unix * 1000).toLocaleTimeString([], { hour12: false }) + '.' + String(Math.floor(unix * 1000) % 1000).padStart(3, '0');
  const ms = (seconds) => seconds === null || seconds === undefined ? '–' : `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  function span(seconds) {
    if (seconds === null || seconds === undefined) return '–';
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  }
  function bits(rate) {
    if (rate === null || rate === undefined) return '–';
    return rate < 1e6 ? `${(rate / 1000).toFixed(rate < 1e5 ? 1 : 0)} kbit/s` : `${(rate / 1e6).toFixed(2)} Mbit/s`;
  }
  const sum = (...rates) => rates.every((rate) => rate === null) ? null : rates.reduce((all, rate) => all + (rate ?? 0), 0);
  const chip = (text, mood = '') => h('span', { class: `chip ${mood}` }, text);
  const short = (uuid) => uuid.slice(0, 8);
  const nameOf = (uuid) => everybody().find(({ row }) => row.uuid === uuid)?.row.display_name ?? short(uuid);
  const everybody = () => operator.state?.conferences.flatMap((conference) => conference.participants) ?? [];

  // ---- the list ------------------------------------------------------------------------------

  function chips(one) {
    const { row } = one;
    return [
      chip(row.role === 'chair' ? 'host' : 'guest'),
      row.service_type === 'waiting_room' && chip('waiting room', 'warn'),
      row.service_type === 'connecting' && chip('connecting', 'warn'),
      row.is_muted === 'YES' && chip('muted', 'bad'),
      row.is_client_muted && chip('mutes itself', 'bad'),
      row.is_video_muted && chip('no picture', 'bad'),
      row.is_presenting === 'YES' && chip('has the floor', 'good'),
      row.buzz_time > 0 && chip('hand up', 'warn'),
      row.spotlight > 0 && chip('spotlight', 'good'),
      row.call_direction === 'out' && chip(`dialled: ${row.protocol}`),
      one.calls.map(({ state, media }) => media ? transport(media, state) : chip(`call ${state}`, 'warn')),
      row.call_direction !== 'out' && one.event_streams.length === 0 && chip('no event stream', 'bad'),
    ];
  }

  function transport(media, state) {
    if (media.ice === 'failed' || media.ice === 'disconnected') return chip(`ICE ${media.ice}`, 'bad');
    if (media.dtls !== 'connected') return chip(`ICE ${media.ice}, DTLS ${media.dtls}`, 'warn');
    return state === 'started' ? chip('media connected', 'good') : chip('no ack yet', 'warn');
  }

  function rates(calls) {
    const media = calls.map((call) => call.media).filter(Boolean);
    const total = (way) => media.length ? sum(...media.flatMap((one) => [one.audio[way].bit_rate, one.video[way].bit_rate])) : null;
    return h('div', { class: 'rates' },
      h('div', { class: 'rate in-rate', title: 'from the client' }, h('i', { class: 'in' }, '↑'), bits(total('in'))),
      h('div', { class: 'rate out-rate', title: 'to the client' }, h('i', { class: 'out' }, '↓'), bits(total('out'))));
  }

  function lastRequest(activity) {
    const last = activity?.last_request;
    if (!last) return '';
    return `${brief(last.verb, null)} ${last.status}, ${span(Math.max(0, operator.state.at - last.at))} ago`;
  }

  /** A verb without the long ids. */
  function brief(verb, own) {
    return verb.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (uuid) => uuid === own ? '(self)' : short(uuid) + '…');
  }

  function person(one) {
    const { row, token } = one;
    return h('button', { class: 'person', type: 'button', 'data-uuid': row.uuid, 'aria-current': row.uuid === operator.chosen ? 'true' : 'false' },
      h('div', { class: 'who' }, h('b', {}, row.display_name), h('div', { class: 'chips' }, chips(one))),
      rates(one.calls),
      h('div', {}, token
        ? [h('small', {}, `token: ${span(token.left)} left`), life(token)]
        : h('small', {}, `here for ${span(one.here_for)}`)),
      h('div', { class: 'last soft' }, lastRequest(one.activity)));
  }

  function life(token) {
    const share = Math.round(100 * token.left / (token.left + token.age || 1));
    return h('div', { class: `bar ${share < 34 ? 'low' : ''}` }, h('i', { style: `width:${share}%` }));
  }

  function conference(it) {
    const many = it.participants.length;
    return h('article', { class: 'panel', 'data-conference': it.alias },
      h('h2', {}, it.alias,
        it.aliases.length > 1 && h('small', {}, `also ${it.aliases.filter((alias) => alias !== it.alias).join(', ')}`),
        h('small', {}, many === 1 ? '1 participant' : `${many} participants`),
        it.started ? chip('started', 'good') : chip('not started'),
        it.locked && chip('locked', 'warn'),
        it.guests_muted && chip('guests muted', 'warn'),
        chip(!it.wants_host_pin ? 'open' : { nobody: 'PIN', with_pin: 'host PIN, guest PIN', without_pin: 'host PIN, guests without' }[it.guests])),
      many === 0 && it.departed.length === 0 && h('p', { class: 'none' }, 'Nobody is here.'),
      it.participants.map(person),
      it.departed.slice(0, 5).map(({ uuid, display_name, left, reason, activity }) =>
        h('button', { class: 'person gone', type: 'button', 'data-uuid': uuid, 'aria-current': uuid === operator.chosen ? 'true' : 'false' },
          h('div', { class: 'who' }, h('b', {}, display_name), ' ', chip('left')),
          h('small', {}, `${span(Math.max(0, operator.state.at - left))} ago${reason ? `: ${reason}` : ''}`),
          h('small', {}, `${activity.requests} requests`),
          h('div', { class: 'last soft' }, lastRequest(activity)))));
  }

  // ---- one participant -----------------------------------------------------------------------

  const fact = (name, value, more = '') => h('div', { class: more }, h('dt', {}, name), h('dd', {}, value));

  function facts(one) {
    const { row, token, event_streams: streams, activity } = one;
    return h('dl', { class: 'facts' },
      fact('Here for', span(one.here_for)),
      token && fact('Token', h('span', {}, `${span(token.age)} old, ${span(token.left)} left, refreshed ${token.refreshes}×`)),
      row.call_direction !== 'out' && fact('Event stream', streams.length === 0 ? 'none' : streams.map((stream) =>
        h('div', {}, `open ${span(stream.open_for)}, ${stream.waiting} unread${stream.last ? `, last: ${stream.last.name} ${span(stream.last.ago)} ago` : ''}`))),
      activity && fact('Requests', `${activity.requests}, ${activity.refused} refused`),
      activity && fact('Events sent', activity.events),
      activity?.digits && fact('DTMF received', h('code', {}, activity.digits)),
      row.vendor && fact('Client', row.vendor, 'wide'),
      fact('UUID', h('code', {}, row.uuid), 'wide'));
  }

  function call(one) {
    const { media } = one;
    const title = [h('h2', {}, one.present && one.present !== 'main' ? `Call (presentation, ${one.present})` : 'Call'), h('code', { class: 'soft' }, short(one.uuid)), media ? transport(media, one.state) : chip(one.state, 'warn')];
    if (!media) return h('article', { class: 'panel' }, h('div', { class: 'head' }, title), h('p', { class: 'none' }, 'Its offer has not been answered.'));
    const pair = media.candidate_pair;
    return h('article', { class: 'panel' },
      h('div', { class: 'head' }, title),
      h('dl', { class: 'facts' },
        fact('ICE', media.ice),
        fact('DTLS', media.dtls === 'connected' && media.dtls_cipher ? h('code', {}, media.dtls_cipher) : media.dtls),
        fact('SRTP', h('code', {}, media.srtp_cipher ?? '–')),
        fact('ack', media.acked_ago === null ? 'not yet' : `${ms(media.ack_after)} after the answer`),
        fact('Round trip', ms(media.round_trip_time)),
        fact('It sees', media.sees ? nameOf(media.sees) : 'the room’s own picture'),
        pair && fact('Candidate pair', h('code', {}, `${pair.local} (${pair.local_type}) ⇄ ${pair.remote} (${pair.remote_type})`), 'wide')),
      h('div', { class: 'streams' }, ['audio', 'video'].flatMap((kind) => [stream(one, kind, 'in'), stream(one, kind, 'out')])));
  }

  function stream(one, kind, way) {
    const media = one.media[kind];
    const it = media[way];
    const negotiated = media.negotiated;
    const what = kind === 'audio' ? 'Sound' : 'Picture';
    const title = `${what} ${way === 'in' ? 'from' : 'to'} the client`;
    if (!negotiated) return h('div', { class: 'stream' }, h('h3', {}, title), h('p', { class: 'soft' }, 'Not agreed on: the m-line is missing or was rejected.'));
    const reported = it.reported;
    const pairs = way === 'in'
      ? [['packets', it.packets], ['lost', it.lost], ['jitter', ms(it.jitter)], ['NACKs sent', it.nacks_sent]]
      : [['packets', it.packets], ['sent again', it.retransmitted], ['NACKs', it.nacks_received],
        ['it lost', reported ? reported.lost : '–'], ['its jitter', ms(reported?.jitter)], ['RTT', ms(reported?.round_trip_time)]];
    if (kind === 'video') {
      pairs.push(['pictures/s', perSecond(`${one.uuid} ${way}`, it.frames)], ['key frames', it.key_frames],
        [way === 'in' ? 'asked by node' : 'asked by client', it.key_frames_asked]);
    } else if (way === 'in') {
      pairs.push(['buffered', ms(it.buffered)], ['late', it.late], ['concealed', it.concealed]);
    }
    const bad = (name, value) => ['lost', 'it lost', 'late'].includes(name) && value > 0;
    return h('div', { class: `stream ${way === 'in' ? 'from' : 'to'}` },
      h('h3', {}, title, h('small', {}, `${negotiated.codec} ${negotiated.payload_type}`), h('span', { class: 'num' }, bits(it.bit_rate))),
      spark(`${one.uuid} ${kind} ${way}`),
      h('div', { class: 'grid' }, pairs.map(([name, value]) => h('div', { class: bad(name, value) ? 'bad-value' : '' }, h('span', {}, name), h('b', {}, value)))));
  }

  function spark(key) {
    const rates = history60.get(key) ?? [];
    const most = Math.max(1, ...rates);
    const points = rates.map((rate, at) => `${at + SAMPLES - rates.length},${(30 - 28 * rate / most).toFixed(1)}`);
    return h('svg', { viewBox: `0 0 ${SAMPLES - 1} 31`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, h('polyline', { points: points.join(' ') }));
  }

  function perSecond(key, frames) {
    const [before, at, last] = counted.get(key) ?? [frames, operator.state.at, null];
    const passed = operator.state.at - at;
    if (passed < 0.9 && counted.has(key)) return last ?? '–';
    const rate = passed > 0 ? ((frames - before) / passed).toFixed(1) : null;
    counted.set(key, [frames, operator.state.at, rate]);
    return rate ?? '–';
  }

  function logEntry(entry, own) {
    const bytes = (count) => count === null || count === undefined ? '' : count < 10000 ? `${count} B` : `${(count / 1000).toFixed(0)} kB`;
    const at = h('span', { class: 'soft' }, time(entry.at));
    if (entry.kind === 'request') {
      return h('li', { class: entry.status >= 400 ? 'request refused' : 'request' }, at,
        h('span', { class: 'status' }, entry.status),
        h('span', {}, h('b', {}, brief(entry.verb, own)), entry.method === 'GET' ? ' (GET)' : '', entry.refusal ? h('span', { class: 'why' }, ` ${entry.refusal}`) : ''),
        h('span', { class: 'figure' }, ms(entry.took)),
        h('span', { class: 'figure' }, `${bytes(entry.body_in)} → ${entry.body_out === null ? 'stream' : bytes(entry.body_out)}`));
    }
    if (entry.kind === 'event') {
      return h('li', { class: 'event' }, at, h('span', { class: 'what' }, 'event'), h('span', {}, entry.name), h('span', { class: 'figure' }), h('span', { class: 'figure' }, bytes(entry.bytes)));
    }
    return h('li', { class: 'event' }, at, h('span', {}, '–'), h('span', {}, entry.text), h('span'), h('span'));
  }

  function showLog(own) {
    const entries = [...(log?.entries ?? [])].sort((one, other) => other.at - one.at);
    return h('article', { class: 'panel', id: 'log' },
      h('div', { class: 'head' }, h('h2', {}, own ? 'Requests and events' : 'Requests of whoever has no token'), h('small', {}, 'the latest first')),
      entries.length === 0 ? h('p', { class: 'none' }, 'Nothing yet.') : h('ol', { class: 'log' }, entries.map((entry) => logEntry(entry, own))));
  }

  function detail() {
    const place = $('detail');
    place.hidden = !operator.chosen;
    if (!operator.chosen) return;
    const close = h('button', { class: 'plain', type: 'button', 'data-close': '' }, 'Close');
    if (operator.chosen === 'nobody') {
      fill(place, h('article', { class: 'panel' }, h('div', { class: 'head' }, h('h2', {}, 'Nobody'), close),
        h('p', { class: 'none' }, 'Wrong PINs and aliases, tokens that were never given out, paths that are not of the API.')), showLog(null));
      return;
    }
    const one = everybody().find(({ row }) => row.uuid === operator.chosen);
    const name = one?.row.display_name ?? log?.display_name ?? short(operator.chosen);
    fill(place,
      h('article', { class: 'panel' }, h('div', { class: 'head' }, h('h2', {}, name), one ? chips(one) : chip('left'), close), one ? facts(one) : null),
      one?.calls.map(call) ?? [],
      one?.activity?.statistics ? h('article', { class: 'panel' }, h('div', { class: 'head' }, h('h2', {}, 'Statistics the client reports'), h('small', {}, time(one.activity.statistics.at))), h('pre', {}, JSON.stringify(one.activity.statistics.reported, null, 2))) : null,
      showLog(operator.chosen));
  }

  // ---- the whole -----------------------------------------------------------------------------

  function show() {
    const { state } = operator;
    const on = state.faults.filter((fault) => fault.on);
    fill($('node'), `version ${state.version}, profile ${state.profile}, main video ${state.video_codecs.join(", ")}, up for ${span(state.up_for)}`);
    $('faults').dataset.on = on.length > 0;
    fill($('faults').querySelector('summary'), on.length ? `On purpose: ${on.map(({ name }) => name).join(', ')}` : 'No faults');
    fill($('faults').querySelector('ul'), state.faults.map(({ name, help, on }) =>
      h('li', {}, h('b', {}, `${on ? '● ' : ''}${name}`), ` ${help}`)));
    fill($('conferences'),
      state.conferences.map(conference),
      state.receptions.map(({ aliases, kind, wants_pin }) => h('article', { class: 'panel' }, h('h2', {}, aliases.join(', '), chip(`Virtual Reception, ${kind}${wants_pin ? ', with a PIN' : ''}`)))),
      state.unknown_requests > 0 && h('article', { class: 'panel' },
        h('button', { class: 'person', type: 'button', 'data-uuid': 'nobody', 'aria-current': operator.chosen === 'nobody' ? 'true' : 'false' },
          h('div', { class: 'who' }, h('b', {}, 'Nobody’s requests')), h('small', {}, state.unknown_requests), h('small', {}, 'without a token we know'), h('span'))));
    detail();
  }

  function remember() {
    const alive = new Set();
    for (const call of everybody().flatMap((one) => one.calls)) {
      for (const kind of ['audio', 'video']) for (const way of ['in', 'out']) {
        const key = `${call.uuid} ${kind} ${way}`;
        alive.add(key);
        const rates = history60.get(key) ?? [];
        rates.push(call.media?.[kind][way].bit_rate ?? 0);
        history60.set(key, rates.slice(-SAMPLES));
      }
    }
    for (const key of history60.keys()) if (!alive.has(key)) history60.delete(key);
    for (const key of counted.keys()) if (![...alive].some((one) => one.startsWith(key.split(' ')[0]))) counted.delete(key);
  }

  async function read(path) {
    const response = await fetch(path, { headers: token ? { token } : {}, signal: AbortSignal.timeout(8000) });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }

  async function readLog() {
    const chosen = operator.chosen;
    const path = chosen === 'nobody' ? 'log.json' : `participants/${encodeURIComponent(chosen)}/log.json`;
    const fresh = chosen ? await read(path) : null;
    if (operator.chosen === chosen) log = fresh;
  }

  function choose(uuid) {
    operator.chosen = uuid;
    log = null;
    history.replaceState(null, '', uuid ? `#${uuid}` : location.pathname);
    if (operator.state) show();
    readLog().then(show, () => {});
    if (uuid && matchMedia('(max-width: 78rem)').matches) $('detail').scrollIntoView({ behavior: 'smooth', block: 'start' });
  }

  document.addEventListener('click', (event) => {
    const person = event.target.closest('[data-uuid]');
    if (person) choose(person.dataset.uuid === operator.chosen ? null : person.dataset.uuid);
    else if (event.target.closest('[data-close]')) choose(null);
  });

  async function live() {
    const say = (state, text) => { $('live').dataset.state = state; $('live').textContent = text; };
    for (;;) {
      const next = new Promise((resolve) => setTimeout(resolve, EVERY));
      try {
        if (!document.hidden) {
          operator.state = await read('state.json');
          await readLog();
          remember();
          show();
          say('live', 'live');
        }
      } catch (error) {
        say('lost', error instanceof TypeError || error.name === 'TimeoutError' ? 'the node does not answer' : error.message.split('\n')[0]);
      }
      await next;
    }
  }

  live();
})();
