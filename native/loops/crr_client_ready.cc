// The client of TCP_CRR and TCP_CC with many connections in flight per worker: those that epoll reports (engine epoll),
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
class Client {
 public:
  explicit Client(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        peer_(Address::parse(plan_.address, plan_.port)),
        options_(crr_socket_options(plan_)),
        ready_(worker),
        driver_(worker) {
    flows_.reserve(worker.flow_count());
    for (size_t i = 0; i < worker.flow_count(); i++) flows_.emplace_back(SourcePorts(plan_, worker.first_flow() + i));
  }

  void run() { driver_.run(*this); }

  // Starts the flow's next connection. Like every step below: false when the worker is finished.
  bool begin(size_t i, uint64_t now) {
    Flow& flow = flows_[i];
    flow.times.started = now;
    flow.state = State::connecting;
    flow.left = plan_.request;
    try {
      flow.fd = tcp_socket(peer_.family(), true);
      prepare_client_socket(flow.fd.get(), plan_, options_, flow.ports);
    } catch (const SystemError& error) {
      return failed(i, error.err());
    }
    if (connect(flow.fd.get(), peer_.raw(), peer_.size()) != 0 && errno != EINPROGRESS) return failed(i, errno);
    ready_.watch(flow.fd.get(), kAnything, i);
    return true;
  }

  bool serve_until(uint64_t at) {
    ready_.wake_at(at);
    return ready_.round(-1, [this](size_t i, uint32_t events) { return advance(i, events); });
  }

 private:
  // In this order.
  enum class State { connecting, sending, receiving, closing };

  struct Flow {
    explicit Flow(SourcePorts source) : ports(std::move(source)) {}
    Fd fd;
    State state = State::connecting;
    size_t left = 0;  // bytes still to send or receive in this state
    CrrTimes times;
    SourcePorts ports;
  };

  bool advance(size_t i, uint32_t events) {
    Flow& flow = flows_[i];
    if (flow.state == State::connecting) flow.times.connected = now_ns();
    if (flow.state <= State::sending && !send_request(i)) return !worker_.fault() && !worker_.stopping();
    const bool something = flow.left == 0 || events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP);
    if (flow.state == State::receiving && something) return receive(i, events);
    if (flow.state == State::closing) return await_end(i);
    return true;
  }

  // False when the request is not out yet, or the flow has failed. A send also is the cheapest way to ask for the
  // outcome of connect, even of no bytes: it would block until there is one, and then it goes through or says why not.
  bool send_request(size_t i) {
    Flow& flow = flows_[i];
    do {
      const uint8_t* data = worker_.send_buffer().data() + (plan_.request - flow.left);
      const ssize_t n = calls::send(flow.fd.get(), data, flow.left, MSG_NOSIGNAL);
      if (n < 0) {
        if (!would_block(errno)) failed(i, errno);
        return false;
      }
      ready_.progress();
      flow.state = State::sending;
      flow.left -= static_cast<size_t>(n);
    } while (flow.left > 0);
    flow.state = State::receiving;
    flow.left = plan_.response;
    return true;
  }

  bool receive(size_t i, uint32_t events) {
    Flow& flow = flows_[i];
    Buffer& scratch = worker_.recv_buffer();
    while (flow.left > 0) {
      const ssize_t n = calls::recv(flow.fd.get(), scratch.data(), std::min(scratch.size(), flow.left), 0);
      if (n < 0 && would_block(errno)) return true;
      if (n <= 0) return failed(i, n == 0 ? ECONNRESET : errno);
      ready_.progress();
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
    const ssize_t n = calls::recv(flows_[i].fd.get(), &byte, sizeof byte, 0);
    if (n == 0) return finish(i);
    if (n < 0 && would_block(errno)) return true;
    return failed(i, n > 0 ? EPROTO : errno);
  }

  bool finish(size_t i) {
    Flow& flow = flows_[i];
    flow.fd.reset();
    ready_.closed(i);
    ready_.progress();
    flow.times.closed = now_ns();
    return driver_.succeeded(*this, i, flow.times);
  }

  bool failed(size_t i, int err) {
    Flow& flow = flows_[i];
    const bool connected = flow.state != State::connecting;
    flow.fd.reset();
    ready_.closed(i);
    return driver_.failed(i, connected, err);
  }

  Worker& worker_;
  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  Readiness ready_;
  std::vector<Flow> flows_;
  CrrDriver driver_;
};

}  // namespace

void crr_client_epoll(Worker& worker) { Client<EpollReadiness>(worker).run(); }

void crr_client_spin(Worker& worker) { Client<SpinReadiness>(worker).run(); }

}  // namespace cnb
