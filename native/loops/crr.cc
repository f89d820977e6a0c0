// TCP_CRR: connect, request, response, close; then the next connection. TCP_CC: the same without a byte.

#include "loops/crr.h"

#include <time.h>

#include <algorithm>
#include <optional>

#include "core/clock.h"
#include "io/block.h"
#include "io/pause.h"
#include "io/source_ports.h"
#include "loops/loops.h"
#include "loops/open_loop.h"

namespace cnb {

namespace {

// After a failed attempt, so that a spent port range or a refusing peer is not hammered by a busy loop.
constexpr timespec kPause{0, 1'000'000};

// Publishes the connection while it may block and takes it back before it is closed.
class Published {
 public:
  Published(FdSlot& slot, int fd) : slot_(slot) { slot_.publish(fd); }
  ~Published() { slot_.retire(); }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

 private:
  FdSlot& slot_;
};

struct Outcome {
  int err = 0;  // 0 = the transaction is complete
  bool connected = false;
};

class BlockClient {
 public:
  explicit BlockClient(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        peer_(Address::parse(plan_.address, plan_.port)),
        options_(crr_socket_options(plan_)),
        ports_(plan_, worker.first_flow()) {}

  void run() {
    if (plan_.open_loop()) return run_open();
    CrrTimes times;
    times.started = now_ns();
    uint64_t done = 0;
    while (!worker_.finishing()) {
      const Outcome outcome = transact(times);
      if (outcome.err == 0) {
        record_transaction(worker_, 0, times, times.started);
        if (worker_.reached_limit(++done)) return;
        times.started = times.closed;
        continue;
      }
      if (!count_failure(worker_, 0, outcome.connected, outcome.err)) return;
      nanosleep(&kPause, nullptr);
      times.started = now_ns();
    }
  }

 private:
  void run_open() {
    Pause pause(worker_);
    OpenLoop open(worker_, 1);
    uint64_t done = 0;
    while (!worker_.finishing()) {
      bool due = false;
      open.send_due(now_ns(), [&](size_t) { return due = true; });
      if (!due) {
        pause.until(open.next());
        continue;
      }
      CrrTimes times;
      times.started = now_ns();
      const Outcome outcome = transact(times);
      const uint64_t was_due = open.settle(0);
      if (outcome.err == 0) {
        record_transaction(worker_, 0, times, was_due);
        if (worker_.reached_limit(++done)) return;
        continue;
      }
      if (!count_failure(worker_, 0, outcome.connected, outcome.err)) return;
      nanosleep(&kPause, nullptr);
    }
  }

  Outcome transact(CrrTimes& times) {
    Fd fd;
    const Outcome outcome = attempt(fd, times);
    fd.reset();
    times.closed = now_ns();
    return outcome;
  }

  Outcome attempt(Fd& fd, CrrTimes& times) {
    try {
      fd = tcp_socket(peer_.family(), false);
      const Published published(worker_.slot(), fd.get());
      // Checked after publishing: a stop that came before would not have seen this socket.
      if (worker_.stopping()) return {ECANCELED, false};
      prepare_client_socket(fd.get(), plan_, options_, ports_);
      if (connect(fd.get(), peer_.raw(), peer_.size()) != 0) return {errno, false};
      times.connected = now_ns();
      return {exchange(fd.get(), times) ? 0 : errno, true};
    } catch (const SystemError& error) {
      return {error.err(), false};
    }
  }

  bool exchange(int fd, CrrTimes& times) {
    Buffer& scratch = worker_.recv_buffer();
    if (plan_.exchanges()) {
      if (!send_all(fd, worker_.send_buffer().data(), plan_.request)) return false;
      if (!expect(recv_exact(fd, scratch.data(), scratch.size(), plan_.response))) return false;
      times.answered = now_ns();
    }
    if (plan_.close != CloseMode::server) return true;
    // The server closes first: its end of stream is part of the transaction.
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n > 0) errno = EPROTO;
    return n == 0;
  }

  static bool expect(int received) {
    if (received == 0) errno = ECONNRESET;
    return received > 0;
  }

  Worker& worker_;
  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  SourcePorts ports_;
};

// One connection, accepted to answered. False when it came to nothing.
bool serve_one(Worker& worker, int fd) {
  const Plan& plan = worker.plan();
  Buffer& scratch = worker.recv_buffer();
  if (recv_exact(fd, scratch.data(), scratch.size(), plan.request) <= 0) return false;
  if (!send_all(fd, worker.send_buffer().data(), plan.response)) return false;
  // The client closes first, with FIN or RST; either ends the connection as planned.
  if (plan.close != CloseMode::server) recv_some(fd, scratch.data(), scratch.size());
  return true;
}

}  // namespace

SocketOptions crr_socket_options(const Plan& plan) {
  SocketOptions options = socket_options(plan);
  // One request is one write with nothing unacknowledged before it: Nagle's algorithm never holds it back (RFC 896),
  // and the call per connection is saved. The server's sockets inherit the option from the listener.
  options.no_delay = false;
  return options;
}

void prepare_client_socket(int fd, const Plan& plan, const SocketOptions& options, SourcePorts& ports) {
  apply(fd, options);
  if (plan.close == CloseMode::reset) checked(reset_on_close(fd), "setsockopt SO_LINGER");
  ports.bind_next(fd);
}

void record_transaction(Worker& worker, size_t flow, const CrrTimes& times, uint64_t due) {
  Recorder& recorder = worker.recorder();
  recorder.latency->latency.record(times.closed - due);
  recorder.latency->connect->record(times.connected - times.started);
  if (recorder.latency->request) recorder.latency->request->record(times.answered - times.connected);
  FlowCounters& counters = recorder.flows[flow];
  counters.connections.add(1);
  counters.transactions.add(1);
  counters.bytes_sent.add(worker.plan().request);
  counters.bytes_received.add(worker.plan().response);
}

bool count_failure(Worker& worker, size_t flow, bool connected, int err) {
  if (worker.stopping()) return false;
  if (err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS) {
    worker.fail("socket", err);
    return false;
  }
  FlowCounters& counters = worker.recorder().flows[flow];
  if (connected) counters.connections.add(1);
  counters.errors.count(err);
  return true;
}

void count_served(Worker& worker) {
  FlowCounters& counters = worker.recorder().flows[0];
  counters.transactions.add(1);
  counters.bytes_received.add(worker.plan().request);
  counters.bytes_sent.add(worker.plan().response);
}

AllowedPeers::AllowedPeers(const Plan& plan) {
  for (const std::string& address : plan.addresses) peers_.push_back(Address::parse(address, 0));
}

bool AllowedPeers::allows(const Address& peer) const {
  return peers_.empty() ||
         std::any_of(peers_.begin(), peers_.end(), [&](const Address& allowed) { return allowed.same_host(peer); });
}

void crr_client_block(Worker& worker) { BlockClient(worker).run(); }

void crr_server_block(Worker& worker) {
  const AllowedPeers allowed(worker.plan());
  uint64_t served = 0;
  while (!worker.stopping()) {
    Address peer;
    socklen_t size = Address::capacity();
    Fd fd(accept4(worker.listener_fd(), peer.raw(), &size, SOCK_CLOEXEC));
    if (!fd.valid()) {
      // The listener's own time-out, a connection that died in the queue, or the session's stop.
      if (would_block(errno) || errno == ECONNABORTED) continue;
      return worker.fail("accept4", errno);
    }
    if (!allowed.allows(peer)) continue;
    worker.recorder().flows[0].connections.add(1);
    const Published published(worker.slot(), fd.get());
    if (worker.stopping() || !serve_one(worker, fd.get())) continue;
    count_served(worker);
    if (worker.reached_limit(++served)) return;
  }
}

}  // namespace cnb
