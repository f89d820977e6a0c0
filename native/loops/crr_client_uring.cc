// The client of TCP_CRR and TCP_CC over io_uring: every transaction is one chain of requests, from connect to close,
// and one system call carries the chains of all flows that are ready for their next one.

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/clock.h"
#include "io/uring_flows.h"
#include "loops/crr.h"
#include "loops/loops.h"

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
        driver_(worker),
        ring_(worker, worker.flow_count()) {
    flows_.reserve(worker.flow_count());
    for (size_t i = 0; i < worker.flow_count(); i++) flows_.emplace_back(SourcePorts(plan_, worker.first_flow() + i));
    if (bare_) ring_.register_slots(static_cast<uint32_t>(flows_.size()));
  }

  void run() { driver_.run(*this); }

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
    if (plan_.exchanges()) {
      connecting.flags |= IOSQE_IO_LINK;
      io_uring_sqe& sending = next(kSend, i);
      uring::send(sending, target(i), worker_.send_buffer().data(), plan_.request, MSG_WAITALL);
      sending.flags |= IOSQE_IO_LINK;
      receive(i);
    } else {
      end_after(connecting, i);
    }
    return true;
  }

  bool serve_until(uint64_t at) {
    ring_.submit_and_wait(uring::ns_until(at));
    return ring_.reap([this](const Completion& done) { return serve(done); });
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

  // Asks for as much of the response as the buffer holds, and after the last of it for what ends the connection.
  void receive(size_t i) {
    const Buffer& scratch = worker_.recv_buffer();
    const size_t left = flows_[i].left;
    io_uring_sqe& entry = next(kReceive, i);
    uring::receive(entry, target(i), scratch.data(), std::min(scratch.size(), left), MSG_WAITALL);
    if (left <= scratch.size()) end_after(entry, i);
  }

  // Goes on with the end of the connection: the server's, where that closes first, and this side's own.
  void end_after(io_uring_sqe& entry, size_t i) {
    if (plan_.close == CloseMode::server) {
      entry.flags |= IOSQE_IO_LINK;
      io_uring_sqe& ending = next(kEnd, i);
      uring::receive(ending, target(i), worker_.recv_buffer().data(), 1, 0);
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
    const bool last = !plan_.exchanges() && plan_.close != CloseMode::server;
    return !last || bare_ || close(i);
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
      return driver_.failed(i, flow.connected, flow.err);
    }
    flow.times.closed = now_ns();
    return driver_.succeeded(*this, i, flow.times);
  }

  Worker& worker_;
  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  // Sockets without options live in the ring's own table, a slot for each flow, and need no system call of their own.
  const bool bare_;
  CrrDriver driver_;
  std::vector<Flow> flows_;
  uring::WorkerRing ring_;
};

}  // namespace

void crr_client_uring(Worker& worker) { Client(worker).run(); }

}  // namespace cnb
