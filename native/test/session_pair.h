#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/affinity.h"
#include "engine/session.h"
#include "io/uring.h"
#include "loops/loops.h"

namespace cnb::test {

// Long enough for sanitizers on a busy machine; reached only when something hangs.
constexpr auto kPatience = std::chrono::seconds(30);

// A session together with what it has announced.
class Observed {
 public:
  explicit Observed(const Plan& plan) {
    session_ = std::make_unique<Session>(plan, select_loop(plan), [this](Session::Event event) {
      const std::lock_guard lock(mutex_);
      (event == Session::Event::ready ? ready_ : ended_) = true;
      changed_.notify_all();
    });
  }
  // The session calls back into this object until its thread has ended.
  ~Observed() { session_.reset(); }

  Session* operator->() { return session_.get(); }
  bool await_ready() {
    return await([this] { return ready_ || ended_; }) && ready_;
  }
  bool await_ended() {
    return await([this] { return ended_; });
  }
  // Waits for a condition on the live counters.
  template <typename Condition>
  bool await_snapshot(Condition condition, SnapshotParts parts = {}) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!condition(session_->snapshot(parts))) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  template <typename Condition>
  bool await(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  bool ended_ = false;
  std::unique_ptr<Session> session_;
};

// Lets traffic flow once both halves are ready, the client's window open from its first moment.
inline bool start(Observed& server, Observed& client) {
  if (!client.await_ready() || !server.await_ready()) return false;
  server->go();
  client->open_window();
  client->go();
  return true;
}

inline std::vector<int> workers(size_t count) {
  const std::vector<int> allowed = allowed_cpus();
  std::vector<int> cpus;
  for (size_t i = 0; i < count; i++) cpus.push_back(allowed[i % allowed.size()]);
  return cpus;
}

// A small plan for loopback; tests change what they are about.
inline Plan plan_for(LoopKind loop, Engine engine, uint32_t flows) {
  Plan plan;
  plan.loop = loop;
  plan.engine = engine;
  plan.flows = flows;
  plan.cpus = workers(engine == Engine::block ? flows : std::min<size_t>(flows, 2));
  plan.address = "127.0.0.1";
  plan.cookie = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  plan.setup_timeout_ms = 10'000;
  return plan;
}

constexpr Engine kEngines[] = {Engine::block, Engine::epoll, Engine::spin, Engine::uring};

inline std::string name_of(Engine engine) {
  constexpr const char* kNames[] = {"block", "epoll", "spin", "uring"};
  return kNames[static_cast<size_t>(engine)];
}

// Why this host cannot run an engine; empty where it can.
inline std::string refusal_of(Engine engine) { return engine == Engine::uring ? uring_unavailable_reason() : ""; }
inline std::string refusal_of(const Plan& plan) {
  const std::string reason = refusal_of(plan.engine);
  const bool zerocopy = plan.engine == Engine::uring && plan.zerocopy == Zerocopy::msg;
  return reason.empty() && zerocopy ? uring_zerocopy_unavailable_reason() : reason;
}

inline std::vector<Engine> engines_here() {
  std::vector<Engine> engines(std::begin(kEngines), std::end(kEngines));
  std::erase_if(engines, [](Engine engine) { return !refusal_of(engine).empty(); });
  return engines;
}

// A test for each engine; those that this host refuses are passed over, with the reason.
class EveryEngine : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (const std::string reason = refusal_of(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
};

inline LoopKind opposite(LoopKind loop) {
  if (loop == LoopKind::send) return LoopKind::receive;
  if (loop == LoopKind::receive) return LoopKind::send;
  return loop;
}

inline Plan server_half(Plan plan) {
  plan.role = Role::server;
  plan.loop = opposite(plan.loop);
  plan.addresses.clear();
  return plan;
}

inline Plan client_half(Plan plan, uint16_t port) {
  plan.role = Role::client;
  plan.port = port;
  return plan;
}

inline size_t open_descriptors() {
  size_t open = 0;
  for (int fd = 0; fd < 4096; fd++) open += fcntl(fd, F_GETFD) >= 0;
  return open;
}

// As long as it lives, this process can open about 20 descriptors more.
class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit tight = before_;
    tight.rlim_cur = open_descriptors() + 20;
    setrlimit(RLIMIT_NOFILE, &tight);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

// As long as it lives, this thread and those that it starts may lock 1 MiB of memory.
class LittleLockedMemory {
 public:
  LittleLockedMemory() {
    getrlimit(RLIMIT_MEMLOCK, &limit_);
    rlimit tight = limit_;
    tight.rlim_cur = 1024 * 1024;
    setrlimit(RLIMIT_MEMLOCK, &tight);
    syscall(SYS_capget, &whose_, capabilities_);
    __user_cap_data_struct fewer[2] = {capabilities_[0], capabilities_[1]};
    fewer[0].effective &= ~(1u << CAP_IPC_LOCK);
    syscall(SYS_capset, &whose_, fewer);
  }
  ~LittleLockedMemory() {
    syscall(SYS_capset, &whose_, capabilities_);
    setrlimit(RLIMIT_MEMLOCK, &limit_);
  }
  LittleLockedMemory(const LittleLockedMemory&) = delete;
  LittleLockedMemory& operator=(const LittleLockedMemory&) = delete;

 private:
  rlimit limit_{};
  __user_cap_header_struct whose_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct capabilities_[2]{};
};

}  // namespace cnb::test
