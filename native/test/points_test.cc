// A session that is stopped, or whose call fails, at every call that its set-up makes. The calls are counted where the
// linker sends them (--wrap in CMakeLists.txt): nothing of this is in the product.

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>

#include "session_pair.h"

namespace cnb::test {

namespace {

enum class Action { none, stop, fail };

// What is counted: calls of the thread that makes the session, until that is done, and of the session's own.
struct Watch {
  std::atomic<bool> on{false};
  std::atomic<Action> action{Action::none};
  std::atomic<int> point{0};
  std::atomic<int> calls{0};
  std::atomic<bool> reached{false};
  std::atomic<pid_t> maker{0};
  std::atomic<pid_t> own{0};
  std::atomic<Session*> session{nullptr};
  // Sessions whose threads have begun, watched or not.
  std::atomic<int> begun{0};
};
Watch watch;

bool is_counted() {
  const pid_t self = gettid();
  return watch.on && (self == watch.maker || self == watch.own);
}

// Whether this call is to fail.
bool at_call() {
  if (!is_counted() || watch.calls++ != watch.point) return false;
  watch.reached = true;
  if (watch.action == Action::fail) return true;
  if (Session* session = watch.session) session->stop();
  return false;
}

void session_begins() {
  pid_t none = 0;
  // Its calls come after those of its making.
  if (watch.on && watch.own.compare_exchange_strong(none, gettid())) {
    while (watch.maker != 0) std::this_thread::yield();
  }
  watch.begun++;
}

int failed(int err) {
  errno = err;
  return -1;
}

}  // namespace

}  // namespace cnb::test

#define CNB_WRAP(name, err, parameters, arguments)           \
  extern "C" int __real_##name parameters;                   \
  extern "C" int __wrap_##name parameters {                  \
    if (cnb::test::at_call()) return cnb::test::failed(err); \
    return __real_##name arguments;                          \
  }

// NOLINTBEGIN(bugprone-reserved-identifier)
CNB_WRAP(socket, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
CNB_WRAP(connect, ENOBUFS, (int fd, const sockaddr* to, socklen_t size), (fd, to, size))
CNB_WRAP(bind, ENOBUFS, (int fd, const sockaddr* at, socklen_t size), (fd, at, size))
CNB_WRAP(listen, ENOBUFS, (int fd, int backlog), (fd, backlog))
CNB_WRAP(accept4, EMFILE, (int fd, sockaddr* peer, socklen_t* size, int flags), (fd, peer, size, flags))
CNB_WRAP(getsockname, ENOBUFS, (int fd, sockaddr* at, socklen_t* size), (fd, at, size))
CNB_WRAP(setsockopt, ENOMEM, (int fd, int level, int name, const void* value, socklen_t size),
         (fd, level, name, value, size))
CNB_WRAP(getsockopt, ENOMEM, (int fd, int level, int name, void* value, socklen_t* size),
         (fd, level, name, value, size))
CNB_WRAP(epoll_create1, EMFILE, (int flags), (flags))
CNB_WRAP(epoll_ctl, ENOMEM, (int set, int operation, int fd, epoll_event* event), (set, operation, fd, event))
CNB_WRAP(epoll_wait, EINTR, (int set, epoll_event* events, int most, int timeout_ms), (set, events, most, timeout_ms))
CNB_WRAP(eventfd, EMFILE, (unsigned value, int flags), (value, flags))

// How a session's thread begins.
extern "C" int __real_pthread_setname_np(pthread_t thread, const char* name);
extern "C" int __wrap_pthread_setname_np(pthread_t thread, const char* name) {
  if (std::string(name) == "cnb-session") cnb::test::session_begins();
  return __real_pthread_setname_np(thread, name);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace cnb::test {

namespace {

void begin_watch(Action action, int point) {
  watch.action = action;
  watch.point = point;
  watch.calls = 0;
  watch.reached = false;
  watch.own = 0;
  watch.session = nullptr;
  watch.maker = gettid();
  watch.on = true;
}

// A session whose calls are counted; nothing where they failed in its constructor.
std::unique_ptr<Observed> make_watched(const Plan& plan, Action action, int point) {
  begin_watch(action, point);
  std::unique_ptr<Observed> session;
  try {
    session = std::make_unique<Observed>(plan);
    watch.session = session->operator->();
  } catch (const SystemError& error) {
    EXPECT_NE(error.err(), 0);
  }
  watch.maker = 0;
  return session;
}

// One pair of which one half meets its fate. False once its set-up has fewer calls than that.
bool meet(const Plan& plan, Role role, Action action, int point) {
  const auto make = [&](const Plan& half) {
    if (half.role == role) return make_watched(half, action, point);
    const int begun = watch.begun;
    auto session = std::make_unique<Observed>(half);
    while (watch.begun == begun) std::this_thread::yield();
    return session;
  };
  const std::unique_ptr<Observed> server = make(server_half(plan));
  const std::unique_ptr<Observed> client = server ? make(client_half(plan, (*server)->port())) : nullptr;
  Observed* watched = role == Role::client ? client.get() : server.get();
  const bool ready = watched && watched->await_ready();
  watch.on = false;
  for (Observed* half : {client.get(), server.get()}) {
    if (half) (*half)->stop();
  }
  for (Observed* half : {client.get(), server.get()}) EXPECT_TRUE(!half || half->await_ended());
  if (!watch.reached) {
    EXPECT_TRUE(ready);
    return false;
  }
  if (watched) {
    const Fault fault = (*watched)->result().fault;
    EXPECT_TRUE(action == Action::fail || !fault) << fault.message;
  }
  return true;
}

Plan rr_plan() { return plan_for(LoopKind::rr, Engine::epoll, 2); }
Plan crr_plan() { return plan_for(LoopKind::crr, Engine::block, 2); }
Plan stream_plan() { return plan_for(LoopKind::send, Engine::spin, 2); }
Plan udp_plan() {
  Plan plan = plan_for(LoopKind::rr, Engine::epoll, 2);
  plan.udp.emplace();
  return plan;
}

TEST(SessionPoints, AreSurvivedEachAndEvery) {
  constexpr int kMost = 1'000;
  const size_t before = open_descriptors();
  int points = 0;
  for (Plan (*plan)() : {rr_plan, crr_plan, stream_plan, udp_plan}) {
    for (const Role role : {Role::client, Role::server}) {
      for (const Action action : {Action::stop, Action::fail}) {
        int point = 0;
        while (point < kMost && meet(plan(), role, action, point)) point++;
        EXPECT_GT(point, 3);
        EXPECT_LT(point, kMost);
        points += point;
      }
    }
  }
  EXPECT_EQ(open_descriptors(), before);
  RecordProperty("points", points);
}

}  // namespace

}  // namespace cnb::test
