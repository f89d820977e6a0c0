// UDP_STREAM: one side sends datagrams, as fast as they go or at a given bandwidth, the other receives.

#include <optional>

#include "core/clock.h"
#include "io/block.h"
#include "io/busy_poll.h"
#include "io/datagrams.h"
#include "io/pause.h"
#include "io/readiness.h"
#include "io/send_pace.h"
#include "loops/loops.h"

namespace cnb {

namespace {

// A full socket of a paced flow is tried again after this.
constexpr uint64_t kFullNs = 100'000;

std::optional<SendPace> pace_of(const Worker& worker, const DatagramSender& sender) {
  if (worker.plan().bandwidth == 0) return std::nullopt;
  return SendPace(worker, sender.bytes_per_call());
}

// Any number of flows per worker, for the engines epoll and spin.
template <typename Readiness>
class Sender {
 public:
  explicit Sender(Worker& worker) : worker_(worker), sender_(worker), ready_(worker), pace_(pace_of(worker, sender_)) {}

  void run() {
    if (pace_) return run_paced();
    for (size_t i = 0; i < worker_.flow_count(); i++) ready_.watch(worker_.flow_fd(i), EPOLLOUT, i);
    const auto serve = [this](size_t flow, uint32_t) {
      const Sent sent = send(flow);
      if (sent == Sent::yes) ready_.progress();
      return sent != Sent::failed;
    };
    while (!worker_.stopping() && ready_.round(-1, serve)) {
    }
  }

 private:
  enum class Sent { yes, no, failed };

  void run_paced() {
    size_t turn = 0;
    const auto nothing = [](size_t, uint32_t) { return true; };
    while (!worker_.stopping()) {
      uint64_t now = now_ns();
      uint64_t wake = pace_->next();
      while (pace_->next() <= now) {
        const Sent sent = send(turn);
        if (sent == Sent::failed || worker_.stopping()) return;
        if (++turn == worker_.flow_count()) turn = 0;
        now = now_ns();
        wake = now + kFullNs;
        if (sent == Sent::no) break;
        pace_->advance(now);
        wake = pace_->next();
      }
      ready_.wake_at(wake);
      if (!ready_.round(-1, nothing)) return;
    }
  }

  Sent send(size_t flow) {
    if (sender_.send(flow, MSG_DONTWAIT) >= 0) return Sent::yes;
    const int err = errno;
    if (sender_.passes(flow, err)) return Sent::no;
    worker_.fail("send", err, worker_.flow_fd(flow));
    return worker_.fault() ? Sent::failed : Sent::no;
  }

  Worker& worker_;
  DatagramSender sender_;
  Readiness ready_;
  std::optional<SendPace> pace_;
};

// Whether a receiver goes on after an error. That nobody listens any more where its own datagrams went, to bring the
// flow up, says nothing of what is still to come.
bool goes_on(int err) { return would_block(err) || err == ECONNREFUSED; }

template <typename Readiness>
void receive_ready(Worker& worker) {
  DatagramReceiver receiver(worker);
  Readiness ready(worker);
  for (size_t i = 0; i < worker.flow_count(); i++) ready.watch(worker.flow_fd(i), EPOLLIN, i);
  const auto serve = [&](size_t flow, uint32_t) {
    const auto took = receiver.receive(flow, MSG_DONTWAIT);
    if (took == DatagramReceiver::Took::something) ready.progress();
    if (took != DatagramReceiver::Took::failure || goes_on(errno)) return true;
    worker.fail("recv", errno, worker.flow_fd(flow));
    return !worker.fault();
  };
  while (!worker.stopping() && ready.round(-1, serve)) {
  }
}

}  // namespace

void udp_send_block(Worker& worker) {
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  DatagramSender sender(worker);
  std::optional<SendPace> pace = pace_of(worker, sender);
  Pause pause(worker);
  uint64_t sent = 0;
  while (!worker.finishing() && !worker.reached_limit(sent)) {
    if (pace && pace->next() > now_ns()) {
      pause.until(pace->next());
      continue;
    }
    const ssize_t n = sender.send(0, 0);
    if (n < 0 && !sender.passes(0, errno)) {
      worker.fail("send", errno, fd);
      if (worker.fault()) return;
    }
    if (n < 0) continue;
    sent += static_cast<uint64_t>(n);
    if (pace) pace->advance(now_ns());
  }
  if (worker.plan().foreign) end_by_datagrams(fd);
}

void udp_receive_block(Worker& worker) {
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  DatagramReceiver receiver(worker);
  while (!worker.stopping()) {
    const auto took = receiver.receive(0, 0);
    if (took == DatagramReceiver::Took::end) return worker.fail_peer_closed(fd);
    if (took == DatagramReceiver::Took::failure && !goes_on(errno)) return worker.fail("recv", errno, fd);
  }
}

void udp_send_epoll(Worker& worker) { Sender<EpollReadiness>(worker).run(); }

void udp_send_spin(Worker& worker) { Sender<SpinReadiness>(worker).run(); }

void udp_receive_epoll(Worker& worker) { receive_ready<EpollReadiness>(worker); }

void udp_receive_spin(Worker& worker) {
  ask_for_busy_poll(worker);
  receive_ready<SpinReadiness>(worker);
}

}  // namespace cnb
