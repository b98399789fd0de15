// Shows what was pushed, also when no page of ours is open, and opens what it is about. It keeps and fetches nothing.
addEventListener("push", (event) => {
  const { title, body, address, topic } = event.data?.json() ?? { title: "Letterdesk", body: "", address: "/notifications", topic: "empty" };
  event.waitUntil(self.registration.showNotification(title, { body, tag: topic, renotify: true, data: { address } }));
});

async function open(address) {
  const target = new URL(address, location.origin);
  if (target.origin !== location.origin) return;
  for (const page of await clients.matchAll({ type: "window", includeUncontrolled: true })) {
    if (page.url === target.href) return page.focus();
  }
  await clients.openWindow(target.href);
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.address ?? "/notifications"));
});
