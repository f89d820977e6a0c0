// TCP_CRR's client over io_uring: every transaction is one chain of requests, from connect to close, and one system
// call carries the chains of all flows that are ready for their next one.

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "io/uring_flows.h"
#include "loops/crr.h"
#include "loops/loops.h"
#include "loops/open_loop.h"

namespace cnb {

namespace {

using uring::Target;

constexpr uring::Kind kSocket = 1;
constexpr uring::Kind kConnect = 2;
constexpr uring::Kind kSend = 3;
constexpr uring::Kind kReceive = 4;
constexpr uring::Kind kEnd = 5;
constexpr uring::Kind kClose = 6;

// The longest chain: socket, connect, send, receive, end of stream, close.
constexpr uint32_t kChain = 6;

class Client {
 public:
  explicit Client(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        peer_(Address::parse(plan_.address, plan_.port)),
        options_(crr_socket_options(plan_)),
        bare_(needs_nothing()),
        paused_(worker.flow_count()),
        ring_(worker, worker.flow_count()) {
    flows_.reserve(worker.flow_count());
    for (size_t i = 0; i < worker.flow_count(); i++) flows_.emplace_back(SourcePorts(plan_, worker.first_flow() + i));
    if (bare_) ring_.register_slots(static_cast<uint32_t>(flows_.size()));
  }

  void run() {
    if (plan_.open_loop()) return run_open();
    for (size_t i = 0; i < flows_.size(); i++) {
      if (!begin(i, now_ns())) return;
    }
    const auto start = [this](size_t i, uint64_t now) { return begin(i, now); };
    while (!worker_.stopping()) {
      if (!serve_until(UINT64_MAX) || !paused_.resume(start)) return;
    }
  }

 private:
  struct Flow {
    explicit Flow(SourcePorts source) : ports(std::move(source)) {}
    // Only where the socket has options, which a slot of the ring could not be given.
    Fd fd;
    size_t left = 0;  // of the response
    bool connected = false;
    int err = 0;  // what the transaction failed of
    CrrTimes times;
    SourcePorts ports;
  };

  void run_open() {
    open_.emplace(worker_, 1);
    const auto start_due = [this](size_t i) { return begin(i, now_ns()); };
    const auto resume = [this](size_t i, uint64_t) {
      open_->settle(i);
      return true;
    };
    while (!worker_.stopping()) {
      if (!open_->send_due(now_ns(), start_due)) return;
      if (!serve_until(open_->next()) || !paused_.resume(resume)) return;
    }
  }

  bool serve_until(uint64_t at) {
    const uint64_t timeout = uring::ns_until(at);
    const bool paused = !paused_.empty() && (timeout == 0 || timeout > PausedFlows::kPauseNs);
    ring_.submit_and_wait(paused ? PausedFlows::kPauseNs : timeout);
    return ring_.reap([this](const Completion& done) { return serve(done); });
  }

  // Whether a socket can connect as it was made.
  bool needs_nothing() const {
    SocketOptions none;
    none.no_delay = false;
    const bool bound = !plan_.addresses.empty() || plan_.local_ports.first != 0;
    return options_ == none && !bound && plan_.close != CloseMode::reset;
  }

  Target target(size_t i) const {
    return bare_ ? Target{static_cast<int>(i), true} : Target{flows_[i].fd.get(), false};
  }
  io_uring_sqe& next(uring::Kind kind, size_t i) { return ring_.next(uring::tag_of(kind, i)); }

  // Starts the flow's next transaction. Like every step below: false when the worker is finished.
  bool begin(size_t i, uint64_t now) {
    Flow& flow = flows_[i];
    flow.times.started = now;
    flow.connected = false;
    flow.err = 0;
    flow.left = plan_.response;
    if (!bare_) {
      try {
        flow.fd = tcp_socket(peer_.family(), false);
        prepare_client_socket(flow.fd.get(), plan_, options_, flow.ports);
      } catch (const SystemError& error) {
        flow.err = error.err();
        return over(i);
      }
    }
    ring_.reserve(kChain);
    if (bare_) {
      io_uring_sqe& entry = next(kSocket, i);
      uring::make_socket(entry, peer_.family(), static_cast<uint32_t>(i));
      // It ends while the batch is being submitted, and would keep the call from waiting for something new.
      entry.flags |= IOSQE_IO_LINK | uring::kSkipSuccess;
    }
    io_uring_sqe& connecting = next(kConnect, i);
    uring::connect(connecting, target(i), peer_);
    connecting.flags |= IOSQE_IO_LINK;
    io_uring_sqe& sending = next(kSend, i);
    uring::send(sending, target(i), worker_.send_buffer().data(), plan_.request, MSG_WAITALL);
    sending.flags |= IOSQE_IO_LINK;
    receive(i);
    return true;
  }

  // Asks for as much of the response as the buffer holds, and after the last of it for what ends the connection.
  void receive(size_t i) {
    const Buffer& scratch = worker_.recv_buffer();
    const size_t left = flows_[i].left;
    io_uring_sqe& entry = next(kReceive, i);
    uring::receive(entry, target(i), scratch.data(), std::min(scratch.size(), left), MSG_WAITALL);
    if (left > scratch.size()) return;
    if (plan_.close == CloseMode::server) {
      entry.flags |= IOSQE_IO_LINK;
      io_uring_sqe& ending = next(kEnd, i);
      uring::receive(ending, target(i), scratch.data(), 1, 0);
      if (bare_) ending.flags |= IOSQE_IO_LINK;
    } else if (bare_) {
      entry.flags |= IOSQE_IO_LINK;
    }
    if (bare_) uring::close_slot(next(kClose, i), static_cast<uint32_t>(i));
  }

  bool serve(const Completion& done) {
    const size_t i = uring::number_of(done.tag);
    const int result = done.result;
    switch (uring::kind_of(done.tag)) {
      case kSocket:
        // Nothing that followed it in the chain completes.
        note(i, -result);
        return over(i);
      case kConnect:
        return connected(i, result);
      case kSend:
        if (result != static_cast<int>(plan_.request)) note(i, result < 0 ? -result : ECONNRESET);
        return true;
      case kReceive:
        return received(i, result);
      case kEnd:
        if (result != 0) note(i, result < 0 ? -result : EPROTO);
        return bare_ || close(i);
      case kClose:
        return closed(i, result);
      default:
        return true;
    }
  }

  // The first failure is the cause; the rest of the chain is cancelled.
  void note(size_t i, int err) {
    if (flows_[i].err == 0) flows_[i].err = err;
  }

  bool connected(size_t i, int result) {
    Flow& flow = flows_[i];
    flow.times.connected = now_ns();
    flow.connected = result == 0;
    if (result < 0) note(i, -result);
    return true;
  }

  bool received(size_t i, int result) {
    Flow& flow = flows_[i];
    const size_t expected = std::min(worker_.recv_buffer().size(), flow.left);
    const bool last = flow.left == expected;
    if (result != static_cast<int>(expected)) {
      note(i, result < 0 ? -result : ECONNRESET);
    } else {
      flow.left -= expected;
      if (last) flow.times.answered = now_ns();
    }
    // After the last of a response the chain goes on by itself.
    if (last) return bare_ || plan_.close == CloseMode::server || close(i);
    if (flow.err != 0) return close(i);
    ring_.reserve(kChain);
    receive(i);
    return true;
  }

  // Where the chain has not done it, or was cut short before it could.
  bool close(size_t i) {
    if (!bare_) {
      flows_[i].fd.reset();
      return over(i);
    }
    uring::close_slot(next(kClose, i), static_cast<uint32_t>(i));
    return true;
  }

  bool closed(size_t i, int result) {
    if (result == -ECANCELED) return close(i);
    return over(i);
  }

  // The transaction has succeeded or failed, and nothing of it is under way.
  bool over(size_t i) {
    Flow& flow = flows_[i];
    if (flow.err != 0) {
      flow.fd.reset();
      paused_.add(i);
      return count_failure(worker_, i, flow.connected, flow.err);
    }
    flow.times.closed = now_ns();
    if (open_) {
      record_transaction(worker_, i, flow.times, open_->settle(i));
      return true;
    }
    record_transaction(worker_, i, flow.times, flow.times.started);
    return worker_.stopping() || begin(i, flow.times.closed);
  }

  Worker& worker_;
  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  // Sockets without options live in the ring's own table, a slot for each flow, and need no system call of their own.
  const bool bare_;
  PausedFlows paused_;
  std::vector<Flow> flows_;
  std::optional<OpenLoop> open_;
  uring::WorkerRing ring_;
};

}  // namespace

void crr_client_uring(Worker& worker) { Client(worker).run(); }

}  // namespace cnb
