#include "engine/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "core/clock.h"
#include "engine/facts.h"
#include "engine/flow_setup.h"

namespace cnb {

namespace {

// How often a stopping session repeats the interruption of workers that have not ended yet.
constexpr int kInterruptMs = 5;
// A receiver that stops after its window reads on to the end of its flows. Their sender has stopped before; what it had
// sent is still in both ends' socket buffers, and would be missing from the totals. How long at most, how long while
// nothing comes, and how often to look.
constexpr uint64_t kEndOfFlowsNs = 1'000'000'000;
constexpr uint64_t kQuietNs = 250'000'000;
constexpr int kLookMs = 20;
// Signals belong to the embedding program; its handlers must not run on, or interrupt, our threads. Threads inherit the
// mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

Fd make_event() { return Fd(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")); }

}  // namespace

Session::Session(Plan plan, Worker::Loop loop, OnEvent on_event)
    : plan_(std::move(plan)),
      loop_(loop),
      on_event_(std::move(on_event)),
      wake_event_(make_event()),
      stop_event_(make_event()),
      port_(plan_.port) {
  validate(plan_);
  if (plan_.loop == LoopKind::send && plan_.bandwidth != 0 && !plan_.udp && !plan_.foreign) pacer_.emplace(plan_);
  if (plan_.role == Role::server) open_listeners();
  create_workers();
  const SignalsBlocked blocked;  // the workers inherit it from this thread
  thread_ = std::thread([this] { main(); });
}

Session::~Session() {
  stop();
  if (thread_.joinable()) thread_.join();
}

// Flows are split as evenly as whole numbers allow: the first (flows mod workers) workers own one more.
void Session::create_workers() {
  const size_t workers = plan_.workers();
  size_t first = 0;
  for (size_t i = 0; i < workers; i++) {
    const size_t count = plan_.flows / workers + (i < plan_.flows % workers ? 1 : 0);
    workers_.push_back(
        std::make_unique<Worker>(Worker::Setup{plan_, shared_, i, first, count, stop_event_.get(), wake_event_.get()}));
    if (!plan_.long_lived() && plan_.role == Role::server) {
      workers_.back()->adopt_listener(listeners_[i % listeners_.size()]);
    }
    first += count;
  }
}

void Session::go() {
  go_.store(true, std::memory_order_release);
  wake();
}

void Session::open_window() {
  const std::lock_guard lock(mutex_);
  if (opened_ns_.load() != 0 || stop_.load()) return;
  cpu_at_open_ns_ = workers_cpu_ns();
  shared_.stage.store(Stage::window, std::memory_order_release);
  opened_ns_.store(now_ns(), std::memory_order_release);
  wake();
}

void Session::close_window() {
  close_window_at(now_ns());
  wake();
}

void Session::close_window_at(uint64_t now) {
  const std::lock_guard lock(mutex_);
  if (opened_ns_.load() == 0 || shared_.closed_ns.load() != 0) return;
  shared_.closed_ns.store(now, std::memory_order_release);
  shared_.stage.store(Stage::winddown, std::memory_order_release);
  worker_cpu_ns_ = workers_cpu_ns() - cpu_at_open_ns_;
}

void Session::stop() {
  stop_.store(true, std::memory_order_release);
  wake();
}

void Session::wake() { eventfd_write(wake_event_.get(), 1); }

bool Session::drain_wake() {
  eventfd_t ignored;
  eventfd_read(wake_event_.get(), &ignored);
  return stop_.load(std::memory_order_acquire);
}

void Session::main() {
  pthread_setname_np(pthread_self(), "cnb-session");
  const char* phase = plan_.role == Role::client ? "connect" : "admit";
  try {
    bring_up();
    phase = "thread";
    start_workers();
    supervise();
  } catch (const SystemError& error) {
    fault_ = fault_of(phase, error);
  } catch (const std::exception& error) {
    // std::thread and allocations: both mean that the system has no more to give.
    fault_ = {Fault::Reason::system_call, phase, "", ENOMEM, "", error.what()};
  }
  if (fault_ && fault_.err == ETIMEDOUT) fault_.reason = Fault::Reason::timeout;
  wind_up();
  ended_.store(true, std::memory_order_release);
  on_event_(Event::ended);
}

Worker& Session::worker_of(size_t flow, size_t& local) {
  const size_t workers = plan_.workers();
  const size_t share = plan_.flows / workers;
  const size_t larger = plan_.flows % workers;
  const size_t worker =
      flow < larger * (share + 1) ? flow / (share + 1) : larger + (flow - larger * (share + 1)) / share;
  local = flow - workers_[worker]->first_flow();
  return *workers_[worker];
}

void Session::hand_out(std::vector<Fd> flows) {
  if (flows.empty()) return;  // cancelled
  for (size_t i = 0; i < flows.size(); i++) {
    if (!plan_.nonblocking()) set_nonblocking(flows[i].get(), false);
    if (plan_.loop == LoopKind::receive && plan_.rx_lowat > 0) {
      set_int(flows[i].get(), SOL_SOCKET, SO_RCVLOWAT, plan_.rx_lowat, "SO_RCVLOWAT");
    }
    if (plan_.loop == LoopKind::send && plan_.notsent_lowat > 0) {
      set_int(flows[i].get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, plan_.notsent_lowat, "TCP_NOTSENT_LOWAT");
    }
    if (pacer_) pacer_->start(i, flows[i].get());
    size_t local = 0;
    Worker& worker = worker_of(i, local);
    worker.adopt(local, std::move(flows[i]));
  }
}

void Session::start_workers() {
  if (stop_.load(std::memory_order_acquire)) return;
  {
    const std::lock_guard lock(mutex_);
    for (auto& worker : workers_) worker->start(loop_);
  }
  const auto armed = [this] {
    return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->armed(); });
  };
  while (!armed() && !stop_.load(std::memory_order_acquire)) await_wake(-1);
}

// From "every worker is armed" until someone asks to stop, a worker ends, or all have.
void Session::supervise() {
  bool announced = false;
  while (!stop_.load(std::memory_order_acquire)) {
    if (std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->done(); })) return;
    if (!announced) {
      announced = true;
      ready_.store(true, std::memory_order_release);
      on_event_(Event::ready);
    }
    open_gate();
    note_tcp_info();
    keep_pace();
    // Once traffic flows, the workers read the flows' sockets, and nobody else.
    if (shared_.gate.load()) close_door();
    pollfd waiting[]{{wake_event_.get(), POLLIN, 0}, {door_ ? door_->fd() : -1, POLLIN, 0}};
    poll(waiting, std::size(waiting), pacer_ ? static_cast<int>(pacer_->period().count()) : -1);
    if (door_ && waiting[1].revents != 0) door_->answer();
    drain_wake();
  }
}

void Session::open_gate() {
  if (go_.load(std::memory_order_acquire) && !shared_.gate.exchange(true)) shared_.gate.notify_all();
}

void Session::close_door() {
  if (!door_) return;
  door_.reset();
  listeners_.clear();
}

void Session::await_wake(int timeout_ms) {
  pollfd waiting{wake_event_.get(), POLLIN, 0};
  poll(&waiting, 1, timeout_ms);
  drain_wake();
}

void Session::keep_pace() {
  if (!pacer_ || !shared_.gate.load()) return;
  size_t flow = 0;
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < worker->flow_count(); i++) pacer_->adjust(flow++, worker->flow_fd(i));
  }
}

void Session::await_end_of_flows() {
  const uint64_t began = now_ns();
  uint64_t progressed = began;
  uint64_t bytes = 0;
  while (!workers_done()) {
    const uint64_t now = now_ns();
    if (const uint64_t more = moved().received; more != bytes) {
      bytes = more;
      progressed = now;
    }
    if (now - progressed > kQuietNs || now - began > kEndOfFlowsNs) return;
    await_wake(kLookMs);
  }
}

void Session::wind_up() {
  const bool closed_in_order = shared_.closed_ns.load() != 0;
  // A fault or an abort ends the window where it is; what was measured until now stays valid.
  close_window_at(now_ns());
  stop_.store(true, std::memory_order_release);
  close_door();
  note_tcp_info();
  // On a busy host this thread may be told to go, to close and to stop before it has had its turn: what has come
  // meanwhile is read all the same.
  open_gate();
  if (closed_in_order && plan_.loop == LoopKind::receive && !plan_.foreign) await_end_of_flows();
  shared_.stage.store(Stage::stop, std::memory_order_seq_cst);
  shared_.gate.store(true);
  shared_.gate.notify_all();
  eventfd_write(stop_event_.get(), 1);
  for (const auto& listener : listeners_) ::shutdown(listener->get(), SHUT_RDWR);
  while (!workers_done()) {
    for (auto& worker : workers_) worker->interrupt();
    await_wake(kInterruptMs);
  }
  // What a sender has sent is still to arrive.
  const bool given_up = !closed_in_order && plan_.loop != LoopKind::send && !plan_.foreign;
  const std::lock_guard lock(mutex_);
  joined_ = true;
  drops_at_end_ = read_drops();
  for (auto& worker : workers_) {
    worker->join();
    if (!fault_ && worker->fault()) fault_ = worker->fault();
    worker->release_sockets(given_up);
  }
  listeners_.clear();
}

bool Session::workers_done() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return !worker->started() || worker->done(); });
}

}  // namespace cnb
