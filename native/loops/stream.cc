// TCP_STREAM: one side sends as fast as TCP takes it, the other receives. TCP_MAERTS is the same with the hosts
// swapped.

#include <poll.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/clock.h"
#include "io/block.h"
#include "io/busy_poll.h"
#include "io/calls.h"
#include "io/file_source.h"
#include "io/low_water.h"
#include "io/mapped_receive.h"
#include "io/pause.h"
#include "io/readiness.h"
#include "io/send_pace.h"
#include "io/zerocopy.h"
#include "loops/loops.h"

namespace cnb {

namespace {

// Looks at the stage this often while it waits for completions only.
constexpr int kCompletionPollMs = 20;

// netperf reports calls and, on request, how long each took; `started` is 0 where it did not ask.
void count_call(Recorder& recorder, size_t flow, uint64_t started) {
  recorder.flows[flow].transactions.add(1);
  if (started != 0 && recorder.latency) recorder.latency->latency.record(now_ns() - started);
}

// The three ways to hand the kernel one send's worth of bytes. ENOBUFS from MSG_ZEROCOPY is reported as is.
class Source {
 public:
  explicit Source(Worker& worker) : worker_(worker) {
    const Plan& plan = worker.plan();
    if (plan.zerocopy == Zerocopy::sendfile) file_.emplace(plan.send_size, plan.payload);
    if (plan.zerocopy == Zerocopy::msg) {
      pool_.emplace(plan.send_size, worker.flow_count());
      for (size_t i = 0; i < worker.flow_count(); i++) pool_->enable(worker.flow_fd(i));
    }
  }

  ZerocopyPool* pool() { return pool_ ? &*pool_ : nullptr; }

  // send(2)'s result; what was sent is counted.
  ssize_t send(size_t flow, int flags) {
    const uint64_t started = worker_.plan().time_calls ? now_ns() : 0;
    const ssize_t n = hand_over(worker_.flow_fd(flow), flags);
    if (n <= 0) return n;
    Recorder& recorder = worker_.recorder();
    if (worker_.plan().foreign) count_call(recorder, flow, started);
    recorder.flows[flow].bytes_sent.add(static_cast<uint64_t>(n));
    if (pool_) pool_->sent(flow, static_cast<size_t>(n), recorder.zerocopy);
    return n;
  }

  const char* call() const { return file_ ? "sendfile" : "send"; }

 private:
  ssize_t hand_over(int fd, int flags) {
    if (pool_) return pool_->send(fd, flags);
    // A non-blocking socket makes sendfile non-blocking too; it has no flags of its own.
    if (file_) return file_->send(fd);
    const Buffer& buffer = worker_.send_buffer();
    return calls::send(fd, buffer.data(), buffer.size(), flags | MSG_NOSIGNAL);
  }

  Worker& worker_;
  std::optional<FileSource> file_;
  std::optional<ZerocopyPool> pool_;
};

// Completions are on the error queue; poll reports them as POLLERR without being asked.
void await_completions(ZerocopyPool& pool, int fd, size_t flow, int timeout_ms) {
  pollfd waiting{fd, 0, 0};
  poll(&waiting, 1, timeout_ms);
  pool.reap(fd, flow);
}

void drain_completions(Worker& worker, ZerocopyPool& pool) {
  const uint64_t until = now_ns() + kZerocopyDrainNs;
  for (size_t i = 0; i < worker.flow_count(); i++) {
    while (pool.in_flight(i) > 0 && now_ns() < until) await_completions(pool, worker.flow_fd(i), i, kCompletionPollMs);
  }
}

void send_until_stopped(Worker& worker, Source& source) {
  const int fd = worker.flow_fd(0);
  ZerocopyPool* pool = source.pool();
  uint64_t sent = 0;
  while (!worker.finishing() && !worker.reached_limit(sent)) {
    if (pool && !pool->can_send(0)) {
      await_completions(*pool, fd, 0, kCompletionPollMs);
      continue;
    }
    if (const ssize_t n = source.send(0, 0); n >= 0) {
      sent += static_cast<uint64_t>(n);
      continue;
    }
    if (errno == ENOBUFS && pool && pool->in_flight(0) > 0) {
      await_completions(*pool, fd, 0, kCompletionPollMs);
    } else if (errno != EINTR) {
      return worker.fail(source.call(), errno, fd);
    }
  }
}

// To a foreign peer, at a given bandwidth.
void send_at_pace(Worker& worker, Source& source) {
  const int fd = worker.flow_fd(0);
  Pause pause(worker);
  SendPace pace(worker, worker.plan().send_size);
  uint64_t sent = 0;
  while (!worker.finishing() && !worker.reached_limit(sent)) {
    const uint64_t now = now_ns();
    if (pace.next() > now) {
      pause.until(pace.next());
      continue;
    }
    const ssize_t n = source.send(0, 0);
    if (n < 0 && errno != EINTR) return worker.fail(source.call(), errno, fd);
    sent += static_cast<uint64_t>(std::max<ssize_t>(n, 0));
    pace.advance(now);
  }
}

struct SendFlow {
  bool parked = false;  // not watched for room: it waits for completions
};

// Any number of flows per worker, for the engines epoll and spin.
template <typename Readiness>
class Sender {
 public:
  Sender(Worker& worker, Source& source)
      : worker_(worker), source_(source), ready_(worker), flows_(worker.flow_count()) {
    for (size_t i = 0; i < flows_.size(); i++) ready_.watch(worker.flow_fd(i), EPOLLOUT, i);
  }

  void run() {
    const auto serve_one = [this](size_t flow, uint32_t events) { return serve(flow, events); };
    while (!worker_.stopping() && ready_.round(-1, serve_one)) {
    }
  }

 private:
  // One send per turn keeps the flows fair. False when the worker is finished.
  bool serve(size_t flow, uint32_t events) {
    const int fd = worker_.flow_fd(flow);
    ZerocopyPool* pool = source_.pool();
    if (events & EPOLLERR) {
      const int err = pool ? pool->reap(fd, flow) : get_int(fd, SOL_SOCKET, SO_ERROR, "SO_ERROR");
      if (err != 0) return fail(err, fd);
      if (pool) unpark();
    }
    if (!(events & EPOLLOUT)) return true;
    if (pool && !pool->can_send(flow)) return park(flow);
    if (source_.send(flow, MSG_DONTWAIT) >= 0) {
      ready_.progress();
      return true;
    }
    if (errno == ENOBUFS && pool && pool->in_flight(flow) > 0) return park(flow);
    return would_block(errno) || fail(errno, fd);
  }

  bool fail(int err, int fd) {
    worker_.fail(source_.call(), err, fd);
    return false;
  }

  // Without a free slot a writable socket would make epoll_wait return at once, for nothing. epoll reports EPOLLERR,
  // which completions raise, whether it is asked for or not.
  bool park(size_t flow) {
    flows_[flow].parked = true;
    parked_++;
    ready_.change(worker_.flow_fd(flow), EPOLLERR, flow);
    return true;
  }

  void unpark() {
    for (size_t i = 0; parked_ > 0 && i < flows_.size(); i++) {
      if (!flows_[i].parked || !source_.pool()->can_send(i)) continue;
      flows_[i].parked = false;
      parked_--;
      ready_.change(worker_.flow_fd(i), EPOLLOUT, i);
    }
  }

  Worker& worker_;
  Source& source_;
  Readiness ready_;
  std::vector<SendFlow> flows_;
  size_t parked_ = 0;
};

// Takes what is there. With MSG_TRUNC the kernel drops the bytes without copying them (tcp(7)).
ssize_t receive_once(Worker& worker, size_t flow, int flags) {
  Buffer& buffer = worker.recv_buffer();
  if (worker.plan().rx == Rx::trunc) flags |= MSG_TRUNC;
  const uint64_t started = worker.plan().time_calls ? now_ns() : 0;
  const ssize_t n = recv_some(worker.flow_fd(flow), buffer.data(), buffer.size(), flags);
  if (n <= 0) return n;
  Recorder& recorder = worker.recorder();
  recorder.flows[flow].bytes_received.add(static_cast<uint64_t>(n));
  if (worker.plan().foreign) count_call(recorder, flow, started);
  return n;
}

template <typename Readiness>
void receive_ready(Worker& worker) {
  Readiness ready(worker);
  LowWater low_water(worker);
  std::optional<MappedReceive> mapped;
  if (worker.plan().rx == Rx::zerocopy) mapped.emplace(worker);
  size_t left = worker.flow_count();
  for (size_t i = 0; i < left; i++) ready.watch(worker.flow_fd(i), EPOLLIN, i);
  const auto serve = [&](size_t flow, uint32_t) {
    const int fd = worker.flow_fd(flow);
    const ssize_t n = mapped ? mapped->receive(flow) : receive_once(worker, flow, MSG_DONTWAIT);
    if (n > 0) {
      ready.progress();
      low_water.took(fd, flow, static_cast<size_t>(n));
    }
    if (n > 0 || (n < 0 && would_block(errno))) return true;
    if (n == 0) {
      worker.fail_peer_closed(fd);
    } else {
      worker.fail(mapped ? mapped->call() : "recv", errno, fd);
    }
    // In wind-down flows end one by one, and the others still drain.
    ready.forget(fd, flow);
    return !worker.fault() && --left > 0;
  };
  while (!worker.stopping() && ready.round(-1, serve)) {
  }
}

template <typename Readiness>
void send_ready(Worker& worker) {
  Source source(worker);
  Sender<Readiness>(worker, source).run();
  if (source.pool()) drain_completions(worker, *source.pool());
}

}  // namespace

void send_block(Worker& worker) {
  worker.slot().publish(worker.flow_fd(0));
  Source source(worker);
  if (worker.plan().foreign && worker.plan().bandwidth != 0) {
    send_at_pace(worker, source);
  } else {
    send_until_stopped(worker, source);
  }
  if (source.pool()) drain_completions(worker, *source.pool());
  if (worker.plan().foreign && worker.plan().role == Role::client) end_in_band(worker.flow_fd(0));
}

void receive_block(Worker& worker) {
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  LowWater low_water(worker);
  std::optional<MappedReceive> mapped;
  if (worker.plan().rx == Rx::zerocopy) mapped.emplace(worker);
  while (!worker.stopping()) {
    const ssize_t n = mapped ? mapped->await(0) : receive_once(worker, 0, 0);
    if (n == 0) return worker.fail_peer_closed(fd);
    if (n < 0) return worker.fail(mapped ? mapped->call() : "recv", errno, fd);
    low_water.took(fd, 0, static_cast<size_t>(n));
  }
}

void send_epoll(Worker& worker) { send_ready<EpollReadiness>(worker); }

void send_spin(Worker& worker) { send_ready<SpinReadiness>(worker); }

void receive_epoll(Worker& worker) { receive_ready<EpollReadiness>(worker); }

void receive_spin(Worker& worker) {
  ask_for_busy_poll(worker);
  receive_ready<SpinReadiness>(worker);
}

}  // namespace cnb
