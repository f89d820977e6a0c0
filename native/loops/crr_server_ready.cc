// The server of TCP_CRR and TCP_CC with many connections in flight per worker: those that epoll reports (engine epoll),
// or all in turn (engine spin).

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/clock.h"
#include "io/block.h"
#include "io/calls.h"
#include "io/readiness.h"
#include "loops/crr.h"
#include "loops/loops.h"

namespace cnb {

namespace {

// Edge-triggered and never modified: one call per connection.
constexpr uint32_t kAnything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

template <typename Readiness>
class Server {
 public:
  explicit Server(Worker& worker) : worker_(worker), plan_(worker.plan()), allowed_(plan_), ready_(worker) {
    ready_.watch(worker.listener_fd(), EPOLLIN, kListenerTag);
  }

  void run() {
    uint64_t next_sweep = now_ns() + kCrrIdleNs;
    const auto serve_one = [this](uint64_t tag, uint32_t) {
      if (tag == kListenerTag) return accept_batch();
      serve(static_cast<int>(tag));
      return true;
    };
    while (!worker_.stopping()) {
      if (!ready_.round(kSweepMs, serve_one)) return;
      if (now_ns() >= next_sweep) {
        sweep();
        next_sweep = now_ns() + kCrrIdleNs;
      }
    }
  }

 private:
  static constexpr int kSweepMs = 1'000;
  static constexpr int kAcceptBatch = 64;

  enum class State { receiving, sending, draining };

  struct Connection {
    Fd fd;
    State state = State::receiving;
    size_t left = 0;
    bool idle = false;  // since the last sweep
    bool watched = false;
  };

  bool accept_batch() {
    for (int i = 0; i < kAcceptBatch; i++) {
      Address peer;
      socklen_t size = Address::capacity();
      Fd fd(accept4(worker_.listener_fd(), peer.raw(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) {
        if (would_block(errno) || errno == ECONNABORTED) return true;
        worker_.fail("accept4", errno);
        return false;
      }
      ready_.progress();
      if (allowed_.allows(peer)) adopt(std::move(fd));
    }
    return true;
  }

  void adopt(Fd fd) {
    worker_.recorder().flows[0].connections.add(1);
    const size_t number = static_cast<size_t>(fd.get());
    if (number >= connections_.size()) connections_.resize(number + 1);
    connections_[number] = {std::move(fd), State::receiving, plan_.request, false, false};
    // The request is often there by now; then the connection never enters the set.
    serve(static_cast<int>(number));
  }

  void serve(int fd) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    if (!connection.fd.valid()) return;
    if (advance(connection)) {
      close(connection);
    } else if (!connection.watched) {
      connection.watched = true;
      ready_.watch(fd, kAnything, static_cast<uint64_t>(fd));
    }
  }

  // True when the connection is over.
  bool advance(Connection& connection) {
    const int fd = connection.fd.get();
    Buffer& scratch = worker_.recv_buffer();
    if (connection.state == State::receiving) {
      while (connection.left > 0) {
        const ssize_t n = calls::recv(fd, scratch.data(), std::min(scratch.size(), connection.left), 0);
        if (n <= 0) return n == 0 || !would_block(errno);
        moved(connection);
        connection.left -= static_cast<size_t>(n);
      }
      connection.state = State::sending;
      connection.left = plan_.response;
    }
    if (connection.state == State::sending) {
      while (connection.left > 0) {
        const uint8_t* data = worker_.send_buffer().data() + (plan_.response - connection.left);
        const ssize_t n = calls::send(fd, data, connection.left, MSG_NOSIGNAL);
        if (n < 0) return !would_block(errno);
        moved(connection);
        connection.left -= static_cast<size_t>(n);
      }
      count_served(worker_);
      connection.state = State::draining;
      if (plan_.close == CloseMode::server) return true;
    }
    // The client closes first; its FIN or RST ends the connection.
    return !(calls::recv(fd, scratch.data(), scratch.size(), 0) < 0 && would_block(errno));
  }

  void moved(Connection& connection) {
    connection.idle = false;
    ready_.progress();
  }

  void close(Connection& connection) {
    const int fd = connection.fd.get();
    connection.fd.reset();
    ready_.closed(static_cast<uint64_t>(fd));
    ready_.progress();
  }

  void sweep() {
    for (Connection& connection : connections_) {
      if (connection.fd.valid() && connection.idle) close(connection);
      connection.idle = true;
    }
  }

  Worker& worker_;
  const Plan& plan_;
  const AllowedPeers allowed_;
  Readiness ready_;
  // By descriptor number.
  std::vector<Connection> connections_;
};

}  // namespace

void crr_server_epoll(Worker& worker) { Server<EpollReadiness>(worker).run(); }

void crr_server_spin(Worker& worker) { Server<SpinReadiness>(worker).run(); }

}  // namespace cnb
