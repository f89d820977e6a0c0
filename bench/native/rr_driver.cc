// One half of TCP_RR with the engine `block`, without Node: 1 byte each way on one flow, every transaction timed and
// counted, until the other side closes the connection. How many there were and how long the window was, in ns, goes to
// stdout.
//
//   rr-driver client|unrecorded|server PORT [CPU [MS]]
//
// connects to, or listens on, 127.0.0.1:PORT; pinned to CPU unless that is -1; a client ends after MS. `unrecorded` is
// a client that reads no clock and has no histogram: what recording costs is the difference.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <semaphore>

#include "engine/session.h"
#include "io/block.h"
#include "loops/loops.h"
#include "loops/rr.h"

namespace {

// What the bench presents as its cookie; src/native/surface.ts says how.
constexpr cnb::Cookie kCookie{};

int usage() {
  std::fputs("usage: rr-driver client|unrecorded|server PORT [CPU [MS]]\n", stderr);
  return 2;
}

// rr_client_block() without the recording.
void unrecorded_client(cnb::Worker& worker) {
  const cnb::Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  cnb::Buffer& scratch = worker.recv_buffer();
  while (!worker.stopping()) {
    if (!cnb::send_all(fd, worker.send_buffer().data(), plan.request)) return worker.fail("send", errno, fd);
    const ssize_t n = cnb::recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    cnb::rr::count(worker.recorder(), 0, plan.request, plan.response);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) return usage();
  const bool unrecorded = std::strcmp(argv[1], "unrecorded") == 0;
  const bool client = unrecorded || std::strcmp(argv[1], "client") == 0;
  if (!client && std::strcmp(argv[1], "server") != 0) return usage();

  cnb::Plan plan;
  plan.role = client ? cnb::Role::client : cnb::Role::server;
  plan.loop = cnb::LoopKind::rr;
  plan.engine = cnb::Engine::block;
  plan.cpus = {argc > 3 ? std::atoi(argv[3]) : -1};
  plan.address = "127.0.0.1";
  plan.port = static_cast<uint16_t>(std::atoi(argv[2]));
  plan.cookie = kCookie;
  try {
    std::binary_semaphore ended(0);
    cnb::Session session(plan, unrecorded ? unrecorded_client : cnb::select_loop(plan), [&](cnb::Session::Event event) {
      if (event == cnb::Session::Event::ended) ended.release();
    });
    session.open_window();
    session.go();
    const bool early = argc < 5 || ended.try_acquire_for(std::chrono::milliseconds(std::atoi(argv[4])));
    if (argc < 5) ended.acquire();
    if (!early) {
      session.close_window();
      session.stop();
      ended.acquire();
    }
    const cnb::Result result = session.result();
    if (early && result.fault.reason != cnb::Fault::Reason::peer_closed) {
      std::fprintf(stderr, "rr-driver: %s\n", result.fault.message.c_str());
      return 1;
    }
    std::printf("%llu %llu\n", static_cast<unsigned long long>(result.window.transactions),
                static_cast<unsigned long long>(result.window_ns));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rr-driver: %s\n", error.what());
    return 1;
  }
  return 0;
}
