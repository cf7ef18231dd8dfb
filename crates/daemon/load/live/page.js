// Shows how far the test has come, as it is told, and keeps showing the last of it.
const over = document.getElementById("over");
const source = new EventSource("events");

function show(place, html) {
  const scrolled = [...place.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  place.innerHTML = html;
  place.querySelectorAll(".scroll").forEach((part, number) => { part.scrollLeft = scrolled[number] ?? 0; });
}

function ended(words) {
  over.textContent = words;
  over.hidden = false;
  const badge = document.querySelector(".badge");
  const verdict = badge && badge.textContent !== "RUNNING" ? badge.textContent : "no verdict";
  if (badge && badge.textContent === "RUNNING") badge.textContent = "ENDED";
  document.title = `Ended: ${verdict}, Standin load test`;
}

for (const name of ["now", "plots"]) {
  source.addEventListener(name, (event) => {
    over.hidden = true;
    // Whoever is reading or copying is not disturbed, but for the verdict.
    const place = document.getElementById(name);
    const isVerdict = !event.data.includes('class="badge">RUNNING');
    if (getSelection().isCollapsed || (name === "now" && isVerdict)) show(place, event.data);
  });
}
source.addEventListener("end", () => {
  source.close();
  ended("The test has ended. This page stays as it is until it is closed.");
});
source.addEventListener("error", () => {
  ended("The load tester is gone. This is what it told last; if it comes back, the page goes on.");
});
