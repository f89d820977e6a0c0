// Traffic of every loop over every engine, client and server in this one process, through the objects of the portable
// addon. It links no test framework, so that it runs with whatever C library starts it. A line for each pair; exits
// with 1 where one failed.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "core/affinity.h"
#include "engine/session.h"
#include "io/uring.h"
#include "loops/loops.h"

namespace {

constexpr const char* kEngines[] = {"block", "epoll", "spin", "uring"};
constexpr const char* kLoops[] = {"send", "receive", "rr", "crr"};

cnb::LoopKind opposite(cnb::LoopKind loop) {
  if (loop == cnb::LoopKind::send) return cnb::LoopKind::receive;
  return loop == cnb::LoopKind::receive ? cnb::LoopKind::send : loop;
}

struct Side {
  std::atomic<bool> ready = false;
  std::atomic<bool> ended = false;
  cnb::Session session;

  explicit Side(const cnb::Plan& plan)
      : session(plan, cnb::select_loop(plan),
                [this](cnb::Session::Event event) { (event == cnb::Session::Event::ready ? ready : ended) = true; }) {}
};

template <typename Condition>
bool await(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    const timespec pause = {0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
  return false;
}

bool run(cnb::LoopKind loop, cnb::Engine engine) {
  cnb::Plan plan;
  plan.loop = opposite(loop);
  plan.engine = engine;
  plan.role = cnb::Role::server;
  plan.flows = 2;
  plan.cpus = {cnb::allowed_cpus().front(), cnb::allowed_cpus().back()};
  plan.address = "127.0.0.1";
  plan.cookie = {1};
  plan.setup_timeout_ms = 10'000;
  Side server(plan);
  plan.loop = loop;
  plan.role = cnb::Role::client;
  plan.port = server.session.port();
  Side client(plan);
  if (!await([&] { return client.ready && server.ready; })) return false;
  for (Side* side : {&server, &client}) {
    side->session.go();
    side->session.open_window();
  }
  const bool moved = await([&] {
    const cnb::Totals totals = client.session.snapshot({}).totals;
    return totals.bytes_sent + totals.bytes_received > 1'000'000 || totals.transactions > 50;
  });
  for (Side* side : {&client, &server}) side->session.close_window();
  Side& first = loop == cnb::LoopKind::receive ? server : client;
  Side& second = loop == cnb::LoopKind::receive ? client : server;
  for (Side* side : {&first, &second}) {
    side->session.stop();
    if (!await([&] { return side->ended.load(); })) return false;
  }
  const cnb::Totals sent = first.session.result().total;
  const cnb::Totals received = second.session.result().total;
  const bool bulk = loop == cnb::LoopKind::send || loop == cnb::LoopKind::receive;
  return moved && (bulk ? sent.bytes_sent == received.bytes_received : sent.transactions <= received.transactions + 2);
}

// A port that nobody listens on: the fault passes through the unwinder.
bool is_refused() {
  cnb::Plan plan;
  plan.role = cnb::Role::client;
  plan.loop = cnb::LoopKind::rr;
  plan.cpus = {-1};
  plan.address = "not an address";
  plan.port = 1;
  try {
    Side side(plan);
    return await([&] { return side.ended.load(); }) && side.session.result().fault;
  } catch (const std::exception& error) {
    return error.what()[0] != '\0';
  }
}

}  // namespace

int main() {
  bool good = is_refused();
  std::printf("a bad address: %s\n", good ? "ok" : "failed");
  for (int engine = 0; engine < 4; ++engine) {
    if (engine == 3 && !cnb::uring_unavailable_reason().empty()) continue;
    for (int loop = 0; loop < 4; ++loop) {
      const bool done = run(static_cast<cnb::LoopKind>(loop), static_cast<cnb::Engine>(engine));
      std::printf("%s %s: %s\n", kEngines[engine], kLoops[loop], done ? "ok" : "failed");
      good = good && done;
    }
  }
  return good ? 0 : 1;
}
