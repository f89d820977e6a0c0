#include "engine/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>

#include "core/affinity.h"
#include "core/clock.h"
#include "core/memory_node.h"
#include "core/own_descriptors.h"

namespace cnb {

namespace {

// Receives of RR and CRR may take many small messages at once; more than this per call gains nothing.
constexpr size_t kMinScratch = 16 * 1024;
constexpr size_t kMaxScratch = 1024 * 1024;
// Messages that go out together; those beyond take another send.
constexpr size_t kMaxCoalesced = 64 * 1024;

size_t send_room(const Plan& plan) {
  const size_t message = plan.role == Role::client ? plan.request : plan.response;
  return plan.coalesce ? std::max(message, std::min((plan.burst + 1) * message, kMaxCoalesced)) : message;
}

// The socket may have lost its peer by now; "" then.
std::string peer_text(int fd) {
  if (fd < 0) return "";
  try {
    return Address::peer_of(fd).text();
  } catch (const SystemError&) {
    return "";
  }
}

}  // namespace

Worker::Worker(const Setup& setup) : setup_(setup), flows_(plan().long_lived() ? setup.flow_count : 0) {
  const bool crr = plan().loop == LoopKind::crr;
  const bool timed = plan().role == Role::client && (crr || plan().loop == LoopKind::rr || plan().time_calls);
  // A CRR server's worker may own no flow and still counts.
  for (Recorder& recorder : recorders_)
    recorder.prepare(std::max<size_t>(setup.flow_count, 1), timed, crr, crr && plan().exchanges());
}

void Worker::start(Loop loop) {
  thread_ = std::thread([this, loop] { main(loop); });
  const std::string name = "cnb-worker-" + std::to_string(setup_.index);
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void Worker::main(Loop loop) {
  const char* phase = "pin";
  try {
    if (const int cpu = plan().cpus[setup_.index]; cpu >= 0) {
      pin_to_cpu(cpu);
      memory_node_ = prefer_own_node().value_or(-1);
    }
    phase = "thread";
    if (plan().engine == Engine::epoll) epoll_.emplace();
    phase = "buffers";
    allocate_buffers();
    advance(State::armed);
    phase = "traffic";
    setup_.shared.gate.wait(false, std::memory_order_acquire);
    if (!stopping()) traffic(loop);
  } catch (const SystemError& error) {
    fault_ = fault_of(phase, error);
  } catch (const std::exception& error) {
    fault_ = {Fault::Reason::system_call, phase, "", ENOMEM, "", error.what()};
  }
  slot_.retire();
  advance(State::done);
}

// For blocking loops on one standing connection that open nothing further. Connections that come and go must be in the
// common table, where another thread can interrupt a call on them (FdSlot), and sanitizers know a descriptor by its
// number alone, whichever table it is from.
void Worker::traffic(Loop loop) {
  const Plan& p = plan();
  const bool opens = p.zerocopy == Zerocopy::sendfile || p.open_loop() || p.udp;
  if (p.engine != Engine::block || !p.long_lived() || opens) return loop(*this);
  OwnDescriptors own({flow_fd(0), setup_.wake_event});
  loop(*this);
  own.close_all_but(setup_.wake_event);
}

void Worker::allocate_buffers() {
  const Plan& p = plan();
  const size_t scratch_cap = std::clamp(std::max(p.request, p.response), kMinScratch, kMaxScratch);
  switch (p.loop) {
    case LoopKind::send:
      // Zero-copy loops bring their own: a slot per send in flight, or a file.
      if (p.zerocopy == Zerocopy::off) send_ = Buffer(p.send_size * p.train(), p.payload);
      break;
    case LoopKind::receive:
      recv_ = Buffer(p.udp && !p.foreign ? kDatagramRoom * p.udp->batch : p.recv_size);
      break;
    case LoopKind::rr:
    case LoopKind::crr:
      if (p.exchanges()) send_ = Buffer(send_room(p), p.payload);
      recv_ = Buffer(p.udp ? kDatagramRoom : scratch_cap);
      break;
  }
  huge_ = send_.huge() || recv_.huge();
}

void Worker::advance(State state) {
  state_.store(state, std::memory_order_release);
  eventfd_write(setup_.wake_event, 1);
}

void Worker::interrupt() { slot_.interrupt(); }

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::release_sockets(bool given_up) {
  epoll_.reset();
  for (const Fd& flow : flows_) {
    if (given_up) reset_on_close(flow.get());
  }
  flows_.clear();
  listener_.reset();
}

uint64_t Worker::cpu_ns() const {
  clockid_t clock;
  // pthread_getcpuclockid needs a thread that has not been joined; the session asks only then.
  auto& thread = const_cast<std::thread&>(thread_);
  if (!thread.joinable() || pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return 0;
  return clock_ns(clock);
}

// The stage is asked once: it may change at any time, and a fault is noted whole or not at all.
void Worker::note(Fault fault) {
  if (stage() < Stage::winddown && !fault_) fault_ = std::move(fault);
}

void Worker::fail(const char* syscall, int err, int fd) {
  note(fault_of("traffic", SystemError(syscall, err, peer_text(fd))));
}

void Worker::fail_peer_closed(int fd) {
  const std::string address = peer_text(fd);
  note({Fault::Reason::peer_closed, "traffic", "", 0, address,
        "the peer " + address + " closed a connection that was in use"});
}

}  // namespace cnb
