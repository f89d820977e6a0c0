// One half of TCP_RR with the engine `block`, without Node, for counting instructions: 1 byte each way on one flow,
// every transaction timed and counted, until the other side closes the connection. How many there were goes to stdout.
//
//   rr-driver client|server PORT     connects to, or listens on, 127.0.0.1:PORT

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <semaphore>

#include "engine/session.h"
#include "loops/loops.h"

namespace {

// What the bench presents as its cookie; src/native/surface.ts says how.
constexpr cnb::Cookie kCookie{};

int usage() {
  std::fputs("usage: rr-driver client|server PORT\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return usage();
  const bool client = std::strcmp(argv[1], "client") == 0;
  if (!client && std::strcmp(argv[1], "server") != 0) return usage();

  cnb::Plan plan;
  plan.role = client ? cnb::Role::client : cnb::Role::server;
  plan.loop = cnb::LoopKind::rr;
  plan.engine = cnb::Engine::block;
  plan.cpus = {-1};
  plan.address = "127.0.0.1";
  plan.port = static_cast<uint16_t>(std::atoi(argv[2]));
  plan.cookie = kCookie;
  try {
    std::binary_semaphore ended(0);
    cnb::Session session(plan, cnb::select_loop(plan), [&](cnb::Session::Event event) {
      if (event == cnb::Session::Event::ended) ended.release();
    });
    session.open_window();
    session.go();
    ended.acquire();
    const cnb::Result result = session.result();
    if (result.fault.reason != cnb::Fault::Reason::peer_closed) {
      std::fprintf(stderr, "rr-driver: %s\n", result.fault.message.c_str());
      return 1;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(result.window.transactions));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rr-driver: %s\n", error.what());
    return 1;
  }
  return 0;
}
