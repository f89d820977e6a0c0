// TCP_CRR with many connections in flight per worker.

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/clock.h"
#include "core/epoll_set.h"
#include "io/block.h"
#include "loops/crr.h"
#include "loops/loops.h"

namespace cnb {

namespace {

constexpr uint64_t kStopTag = UINT64_MAX;
constexpr uint64_t kListenerTag = UINT64_MAX - 1;
// After a failed attempt a flow pauses, so that a spent port range is not hammered by a busy loop.
constexpr int kPauseMs = 1;

class EpollClient {
 public:
  explicit EpollClient(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        peer_(Address::parse(plan_.address, plan_.port)),
        options_(crr_socket_options(plan_)) {
    set_.add(worker.stop_event(), EPOLLIN, kStopTag);
    flows_.reserve(worker.flow_count());
    for (size_t i = 0; i < worker.flow_count(); i++) flows_.emplace_back(SourcePorts(plan_, worker.first_flow() + i));
    paused_.reserve(flows_.size());
  }

  void run() {
    for (size_t i = 0; i < flows_.size(); i++) {
      if (!begin(i, now_ns())) return;
    }
    while (!worker_.stopping()) {
      for (const epoll_event& event : set_.wait(paused_.empty() ? -1 : kPauseMs)) {
        if (event.data.u64 != kStopTag && !advance(event.data.u64, event.events)) return;
      }
      if (!resume_paused()) return;
    }
  }

 private:
  enum class State { connecting, sending, receiving, closing };

  struct Flow {
    explicit Flow(SourcePorts source) : ports(std::move(source)) {}
    Fd fd;
    State state = State::connecting;
    size_t left = 0;  // bytes still to send or receive in this state
    CrrTimes times;
    SourcePorts ports;
  };

  // Starts the flow's next connection. Like every step below: false when the worker is finished.
  bool begin(size_t i, uint64_t now) {
    Flow& flow = flows_[i];
    flow.times.started = now;
    flow.state = State::connecting;
    try {
      flow.fd = tcp_socket(peer_.family(), true);
      prepare_client_socket(flow.fd.get(), plan_, options_, flow.ports);
    } catch (const SystemError& error) {
      return failed(i, error.err());
    }
    if (connect(flow.fd.get(), peer_.raw(), peer_.size()) != 0 && errno != EINPROGRESS) return failed(i, errno);
    // Edge-triggered and never modified: one call per connection.
    set_.add(flow.fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, i);
    return true;
  }

  bool advance(size_t i, uint32_t events) {
    Flow& flow = flows_[i];
    if (flow.state == State::connecting) {
      if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return true;
      if (events & (EPOLLERR | EPOLLHUP)) {
        const int err = get_int(flow.fd.get(), SOL_SOCKET, SO_ERROR, "SO_ERROR");
        return failed(i, err != 0 ? err : ECONNRESET);
      }
      flow.times.connected = now_ns();
      flow.state = State::sending;
      flow.left = plan_.request;
    }
    if (flow.state == State::sending && !send_request(i)) return !worker_.fault() && !worker_.stopping();
    if (flow.state == State::receiving && events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
      return receive(i, events);
    if (flow.state == State::closing) return await_end(i);
    return true;
  }

  // False when the request is not out yet, or the flow has failed.
  bool send_request(size_t i) {
    Flow& flow = flows_[i];
    while (flow.left > 0) {
      const uint8_t* data = worker_.send_buffer().data() + (plan_.request - flow.left);
      const ssize_t n = send(flow.fd.get(), data, flow.left, MSG_NOSIGNAL);
      if (n < 0) {
        if (!would_block(errno)) failed(i, errno);
        return false;
      }
      flow.left -= static_cast<size_t>(n);
    }
    flow.state = State::receiving;
    flow.left = plan_.response;
    return true;
  }

  bool receive(size_t i, uint32_t events) {
    Flow& flow = flows_[i];
    Buffer& scratch = worker_.recv_buffer();
    while (flow.left > 0) {
      const ssize_t n = recv(flow.fd.get(), scratch.data(), std::min(scratch.size(), flow.left), 0);
      if (n < 0 && would_block(errno)) return true;
      if (n <= 0) return failed(i, n == 0 ? ECONNRESET : errno);
      flow.left -= static_cast<size_t>(n);
    }
    flow.times.answered = now_ns();
    // The server's FIN has been seen already: a call to read it would tell nothing new.
    if (plan_.close != CloseMode::server || events & EPOLLRDHUP) return finish(i);
    flow.state = State::closing;
    return await_end(i);
  }

  bool await_end(size_t i) {
    uint8_t byte;
    const ssize_t n = recv(flows_[i].fd.get(), &byte, sizeof byte, 0);
    if (n == 0) return finish(i);
    if (n < 0 && would_block(errno)) return true;
    return failed(i, n > 0 ? EPROTO : errno);
  }

  bool finish(size_t i) {
    Flow& flow = flows_[i];
    flow.fd.reset();
    flow.times.closed = now_ns();
    record_transaction(worker_, i, flow.times);
    return worker_.stopping() || begin(i, flow.times.closed);
  }

  bool failed(size_t i, int err) {
    Flow& flow = flows_[i];
    const bool connected = flow.state != State::connecting;
    flow.fd.reset();
    paused_.push_back(i);
    return count_failure(worker_, i, connected, err);
  }

  bool resume_paused() {
    // One pause for all that failed in this round; begin() may pause a flow again.
    const size_t count = paused_.size();
    for (size_t k = 0; k < count && !worker_.stopping(); k++) {
      if (!begin(paused_[k], now_ns())) return false;
    }
    paused_.erase(paused_.begin(), paused_.begin() + static_cast<ptrdiff_t>(count));
    return true;
  }

  Worker& worker_;
  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  EpollSet set_;
  std::vector<Flow> flows_;
  std::vector<size_t> paused_;
};

class EpollServer {
 public:
  explicit EpollServer(Worker& worker) : worker_(worker), plan_(worker.plan()), allowed_(plan_) {
    set_.add(worker.stop_event(), EPOLLIN, kStopTag);
    set_.add(worker.listener_fd(), EPOLLIN, kListenerTag);
  }

  void run() {
    uint64_t next_sweep = now_ns() + kIdleNs;
    while (!worker_.stopping()) {
      for (const epoll_event& event : set_.wait(kSweepMs)) {
        if (event.data.u64 == kStopTag) continue;
        if (event.data.u64 == kListenerTag) {
          if (!accept_batch()) return;
        } else {
          serve(static_cast<int>(event.data.u64));
        }
      }
      if (now_ns() >= next_sweep) {
        sweep();
        next_sweep = now_ns() + kIdleNs;
      }
    }
  }

 private:
  // A connection that does nothing for one to two of these is closed: it holds a descriptor of the server's.
  static constexpr uint64_t kIdleNs = 5'000'000'000;
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
    connection.idle = false;
    if (advance(connection)) {
      connection.fd.reset();
    } else if (!connection.watched) {
      connection.watched = true;
      set_.add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, static_cast<uint64_t>(fd));
    }
  }

  // True when the connection is over.
  bool advance(Connection& connection) {
    const int fd = connection.fd.get();
    Buffer& scratch = worker_.recv_buffer();
    while (connection.state == State::receiving) {
      const ssize_t n = recv(fd, scratch.data(), std::min(scratch.size(), connection.left), 0);
      if (n <= 0) return n == 0 || !would_block(errno);
      connection.left -= static_cast<size_t>(n);
      if (connection.left == 0) {
        connection.state = State::sending;
        connection.left = plan_.response;
      }
    }
    while (connection.state == State::sending) {
      const uint8_t* data = worker_.send_buffer().data() + (plan_.response - connection.left);
      const ssize_t n = send(fd, data, connection.left, MSG_NOSIGNAL);
      if (n < 0) return !would_block(errno);
      connection.left -= static_cast<size_t>(n);
      if (connection.left == 0) {
        count_served(worker_);
        connection.state = State::draining;
        if (plan_.close == CloseMode::server) return true;
      }
    }
    // The client closes first; its FIN or RST ends the connection.
    return !(recv(fd, scratch.data(), scratch.size(), 0) < 0 && would_block(errno));
  }

  void sweep() {
    for (Connection& connection : connections_) {
      if (connection.fd.valid() && connection.idle) connection.fd.reset();
      connection.idle = true;
    }
  }

  Worker& worker_;
  const Plan& plan_;
  const AllowedPeers allowed_;
  EpollSet set_;
  // By descriptor number.
  std::vector<Connection> connections_;
};

}  // namespace

void crr_client_epoll(Worker& worker) { EpollClient(worker).run(); }

void crr_server_epoll(Worker& worker) { EpollServer(worker).run(); }

}  // namespace cnb
