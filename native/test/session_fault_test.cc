// What sessions do when the other side, or the caller, does not play along.

#include <netinet/in.h>
#include <poll.h>

#include <random>

#include "engine/flow_setup.h"
#include "session_pair.h"

namespace cnb::test {

namespace {

constexpr LoopKind kLoops[] = {LoopKind::send, LoopKind::receive, LoopKind::rr, LoopKind::crr};

Fd connect_to(uint16_t port) {
  Fd fd = tcp_socket(AF_INET, false);
  const Address to = Address::parse("127.0.0.1", port);
  EXPECT_EQ(connect(fd.get(), to.raw(), to.size()), 0);
  return fd;
}

bool closed_by_peer(const Fd& fd) {
  char byte;
  const ssize_t n = recv(fd.get(), &byte, 1, 0);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

class EveryFault : public EveryEngine {};

INSTANTIATE_TEST_SUITE_P(SessionFault, EveryFault, testing::ValuesIn(kEngines),
                         [](const auto& instance) { return name_of(instance.param); });

TEST(SessionFault, RefusedConnectionNamesThePeer) {
  uint16_t port;
  {
    const Fd listener = listen_on(Address::parse("127.0.0.1", 0), {}, {});
    port = Address::local_of(listener.get()).port();
  }
  for (const LoopKind loop : kLoops) {
    Observed client(client_half(plan_for(loop, Engine::block, 2), port));
    ASSERT_TRUE(client.await_ended());
    const Fault fault = client->result().fault;
    EXPECT_EQ(fault.phase, "connect");
    EXPECT_EQ(fault.syscall, "connect");
    EXPECT_EQ(fault.err, ECONNREFUSED);
    EXPECT_EQ(fault.address, "127.0.0.1:" + std::to_string(port));
  }
}

TEST(SessionFault, MissingFlowsEndAdmissionAtItsDeadline) {
  Plan plan = plan_for(LoopKind::rr, Engine::epoll, 4);
  plan.setup_timeout_ms = 100;
  Observed server(server_half(plan));
  ASSERT_TRUE(server.await_ended());
  EXPECT_EQ(server->result().fault.phase, "admit");
  EXPECT_EQ(server->result().fault.reason, Fault::Reason::timeout);
}

TEST(SessionFault, StrangersAreShutOut) {
  const Plan plan = plan_for(LoopKind::rr, Engine::epoll, 2);
  Observed server(server_half(plan));
  const Fd silent = connect_to(server->port());
  const Fd wrong = connect_to(server->port());
  const std::string guess(kPreambleBytes, 'x');
  ASSERT_EQ(send(wrong.get(), guess.data(), guess.size(), 0), static_cast<ssize_t>(guess.size()));
  EXPECT_TRUE(closed_by_peer(wrong));
  // The right cookie with a flow that does not exist is a stranger too.
  const Fd beyond = connect_to(server->port());
  std::string proof(plan.cookie.begin(), plan.cookie.end());
  proof += std::string("\0\0\0\7", 4);
  ASSERT_EQ(send(beyond.get(), proof.data(), proof.size(), 0), static_cast<ssize_t>(proof.size()));
  EXPECT_TRUE(closed_by_peer(beyond));
  Observed client(client_half(plan, server->port()));
  EXPECT_TRUE(client.await_ready());
  EXPECT_TRUE(server.await_ready());
  // Admission is over, and so is the silent stranger's connection.
  EXPECT_TRUE(closed_by_peer(silent));
}

TEST_P(EveryFault, CrrServesOnlyTheDeclaredAddresses) {
  const Engine engine = GetParam();
  const Plan plan = plan_for(LoopKind::crr, engine, 1);
  Plan guarded = server_half(plan);
  guarded.addresses = {"127.0.0.2"};
  Observed server(guarded);
  ASSERT_TRUE(server.await_ready());
  server->go();
  const Fd stranger = connect_to(server->port());
  EXPECT_TRUE(closed_by_peer(stranger));
  Plan allowed = client_half(plan, server->port());
  allowed.addresses = {"127.0.0.2"};
  Observed client(allowed);
  ASSERT_TRUE(client.await_ready());
  client->open_window();
  client->go();
  EXPECT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions > 0; }));
}

TEST_P(EveryFault, PeerThatVanishesEndsTheRunAndKeepsWhatWasMeasured) {
  const Engine engine = GetParam();
  std::vector<Plan> plans;
  for (const LoopKind loop : {LoopKind::send, LoopKind::receive, LoopKind::rr}) {
    plans.push_back(plan_for(loop, engine, 2));
  }
  plans.push_back(plan_for(LoopKind::send, engine, 3));
  plans.back().zerocopy = Zerocopy::msg;
  if (!refusal_of(plans.back()).empty()) plans.pop_back();
  for (const Plan& plan : plans) {
    auto server = std::make_unique<Observed>(server_half(plan));
    Observed client(client_half(plan, (*server)->port()));
    ASSERT_TRUE(client.await_ready() && server->await_ready());
    (*server)->go();
    client->open_window();
    client->go();
    ASSERT_TRUE(client.await_snapshot(
        [](const Snapshot& snapshot) { return snapshot.totals.bytes_sent + snapshot.totals.bytes_received > 0; }));
    server.reset();
    ASSERT_TRUE(client.await_ended());
    const Result result = client->result();
    EXPECT_TRUE(result.fault);
    EXPECT_EQ(result.fault.phase, "traffic");
    EXPECT_GT(result.window.bytes_sent + result.window.bytes_received, 0u);
    EXPECT_GT(result.window_ns, 0u);
  }
}

// TCP's closing alone can leave a sender waiting for room at a receiver that is gone.
TEST_P(EveryFault, HalfThatIsGivenUpResetsItsFlows) {
  for (const LoopKind loop : {LoopKind::send, LoopKind::rr}) {
    const Plan plan = plan_for(loop, GetParam(), 1);
    auto server = std::make_unique<Observed>(server_half(plan));
    const Fd peer = connect_to((*server)->port());
    std::string first(plan.cookie.begin(), plan.cookie.end());
    first += std::string(4, '\0') + "traffic";
    ASSERT_EQ(send(peer.get(), first.data(), first.size(), 0), static_cast<ssize_t>(first.size()));
    ASSERT_TRUE(server->await_ready());
    (*server)->open_window();
    (*server)->go();
    ASSERT_TRUE(server->await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.bytes_received > 0; }));
    server.reset();
    pollfd ended{peer.get(), 0, 0};
    ASSERT_EQ(poll(&ended, 1, std::chrono::milliseconds(kPatience).count()), 1);
    EXPECT_TRUE(ended.revents & POLLERR);
  }
}

TEST_P(EveryFault, CrrGoesOnWhenItsPeerRefusesAndCountsIt) {
  const Engine engine = GetParam();
  const Plan plan = plan_for(LoopKind::crr, engine, 2);
  auto server = std::make_unique<Observed>(server_half(plan));
  Observed client(client_half(plan, (*server)->port()));
  ASSERT_TRUE(client.await_ready() && server->await_ready());
  (*server)->go();
  client->open_window();
  client->go();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions > 0; }));
  server.reset();
  EXPECT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.errors.refused > 0; }));
  client->stop();
  ASSERT_TRUE(client.await_ended());
  EXPECT_FALSE(client->result().fault) << client->result().fault.message;
}

TEST_P(EveryFault, SpentPortsAreCountedAndTheRunGoesOn) {
  const Engine engine = GetParam();
  Plan plan = plan_for(LoopKind::crr, engine, 1);
  // A range of one port, and somebody else has it.
  Fd holder = listen_on(Address::parse("127.0.0.1", 0), {}, {});
  const uint16_t port = Address::local_of(holder.get()).port();
  plan.local_ports = {port, port};
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(start(server, client));
  EXPECT_TRUE(client.await_snapshot([](const Snapshot& now) { return now.totals.errors.ports_exhausted > 3; }));
  EXPECT_EQ(client->snapshot({}).totals.transactions, 0u);
  holder.reset();
  EXPECT_TRUE(client.await_snapshot([](const Snapshot& now) { return now.totals.transactions > 3; }));
  client->stop();
  ASSERT_TRUE(client.await_ended());
  EXPECT_FALSE(client->result().fault) << client->result().fault.message;
}

// Sockets that only the engine knows of must not outlive their session either.
TEST_P(EveryFault, CrrConnectionsEndWithTheirSession) {
  const Plan plan = plan_for(LoopKind::crr, GetParam(), 1);
  auto server = std::make_unique<Observed>(server_half(plan));
  ASSERT_TRUE(server->await_ready());
  (*server)->open_window();
  (*server)->go();
  const Fd silent = connect_to((*server)->port());
  ASSERT_TRUE(server->await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.connections > 0; }));
  server.reset();
  const timeval patience{5, 0};
  setsockopt(silent.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_TRUE(closed_by_peer(silent));
}

TEST(SessionFault, PortsOfOtherProgramsArePassedOver) {
  Plan plan = plan_for(LoopKind::crr, Engine::block, 1);
  const Fd holder = listen_on(Address::parse("127.0.0.1", 0), {}, {});
  const uint16_t port = Address::local_of(holder.get()).port();
  plan.local_ports = {port, static_cast<uint16_t>(port + 20)};
  plan.close = CloseMode::client;
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(start(server, client));
  EXPECT_TRUE(client.await_snapshot([](const Snapshot& now) { return now.totals.transactions > 60; }));
  EXPECT_EQ(client->snapshot({}).totals.errors.ports_exhausted, 0u);
}

TEST(SessionFault, CpuThatDoesNotExistIsNamed) {
  Plan plan = plan_for(LoopKind::crr, Engine::block, 1);
  plan.cpus = {1 << 19};
  Observed server(server_half(plan));
  ASSERT_TRUE(server.await_ended());
  EXPECT_EQ(server->result().fault.phase, "pin");
  EXPECT_EQ(server->result().fault.syscall, "sched_setaffinity");
}

TEST(SessionFault, BusyPortThrowsFromTheConstructor) {
  Plan plan = plan_for(LoopKind::rr, Engine::block, 1);
  Observed first(server_half(plan));
  for (const LoopKind loop : {LoopKind::rr, LoopKind::crr}) {
    Plan second = plan_for(loop, Engine::epoll, 4);
    second.port = first->port();
    try {
      Observed never(server_half(second));
      ADD_FAILURE() << "a taken port was taken again";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.syscall(), "bind");
      EXPECT_EQ(error.err(), EADDRINUSE);
    }
  }
}

TEST(SessionFault, BadPlansAreRefused) {
  const auto refused = [](void (*spoil)(Plan&)) {
    Plan plan = plan_for(LoopKind::rr, Engine::block, 2);
    spoil(plan);
    EXPECT_THROW(Observed(server_half(plan)), std::invalid_argument);
  };
  refused([](Plan& plan) { plan.flows = 0; });
  refused([](Plan& plan) { plan.flows = 3; });
  refused([](Plan& plan) { plan.cpus.clear(); });
  refused([](Plan& plan) { plan.request = 0; });
  refused([](Plan& plan) { plan.address = "localhost"; });
  refused([](Plan& plan) { plan.setup_timeout_ms = 0; });
  refused([](Plan& plan) { plan.local_ports = {2, 1}; });
  const auto refused_on_uring = [](void (*spoil)(Plan&)) {
    Plan plan = plan_for(LoopKind::send, Engine::uring, 2);
    EXPECT_NO_THROW(validate(plan));
    spoil(plan);
    EXPECT_THROW(validate(plan), std::invalid_argument);
  };
  refused_on_uring([](Plan& plan) { plan.zerocopy = Zerocopy::sendfile; });
}

TEST(SessionFault, DescriptorsThatRunOutAreFoundBeforeTheTest) {
  // For the flows, or for what the workers wait with.
  Plan flows = plan_for(LoopKind::rr, Engine::epoll, 64);
  Plan waiting = plan_for(LoopKind::crr, Engine::epoll, 64);
  waiting.cpus = workers(64);
  for (const Plan& plan : {flows, waiting}) {
    Observed server(server_half(plan));
    // A server of CRR is, before there are flows: it shall have what it needs.
    if (!plan.long_lived()) {
      ASSERT_TRUE(server.await_ready());
    }
    const FewDescriptors few;
    Observed client(client_half(plan, server->port()));
    ASSERT_TRUE(client.await_ended());
    const Fault fault = client->result().fault;
    EXPECT_EQ(fault.err, EMFILE);
    EXPECT_EQ(fault.phase, plan.loop == LoopKind::rr ? "connect" : "thread");
    EXPECT_EQ(fault.syscall, plan.loop == LoopKind::rr ? "socket" : "epoll_create1");
    EXPECT_FALSE(client.await_ready());
  }
}

// The kernel charges the user for pages that stay pinned, but for processes that may lock what they like.
TEST(SessionFault, MemoryThatMayNotBeLockedIsNamed) {
  Plan plan = plan_for(LoopKind::send, Engine::uring, 1);
  plan.zerocopy = Zerocopy::msg;
  if (const std::string reason = refusal_of(plan); !reason.empty()) GTEST_SKIP() << reason;
  Observed server(server_half(plan));
  const LittleLockedMemory little;
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  server->go();
  client->go();
  ASSERT_TRUE(client.await_ended());
  const Fault fault = client->result().fault;
  EXPECT_EQ(fault.err, ENOMEM);
  EXPECT_NE(fault.message.find("RLIMIT_MEMLOCK"), std::string::npos) << fault.message;
}

// Stops that come at every point of a session's life: none may hang, crash or leak.
TEST(SessionLife, StopsAtAnyMoment) {
  std::mt19937 random(20'260'101);
  const size_t before = open_descriptors();
  const std::vector<Engine> engines = engines_here();
  for (int round = 0; round < 96; round++) {
    const Engine engine = engines[static_cast<size_t>(round) % engines.size()];
    const LoopKind loop = kLoops[static_cast<size_t>(round) / engines.size() % std::size(kLoops)];
    Plan plan = plan_for(loop, engine, static_cast<uint32_t>(1 + random() % 6));
    if (plan.loop == LoopKind::send || plan.loop == LoopKind::receive) {
      plan.zerocopy = random() % 2 ? Zerocopy::msg : Zerocopy::off;
    }
    Observed server(server_half(plan));
    Observed client(client_half(plan, server->port()));
    const auto nap = [&] { std::this_thread::sleep_for(std::chrono::microseconds(random() % 3'000)); };
    if (random() % 4) server->go();
    if (random() % 4) client->go();
    nap();
    if (random() % 2) client->open_window();
    if (random() % 2) server->open_window();
    nap();
    client->snapshot({.latency = true, .tcp = true});
    if (random() % 2) client->close_window();
    (random() % 2 ? client : server)->stop();
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace

}  // namespace cnb::test
