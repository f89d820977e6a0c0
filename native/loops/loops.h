#pragma once

#include "engine/plan.h"
#include "engine/worker.h"

namespace cnb {

// One function per test, half and engine. Each runs on a worker's thread until the session stops or the worker fails.
void send_block(Worker& worker);
void send_epoll(Worker& worker);
void send_spin(Worker& worker);
void send_uring(Worker& worker);
void receive_block(Worker& worker);
void receive_epoll(Worker& worker);
void receive_spin(Worker& worker);
void receive_uring(Worker& worker);
void rr_client_block(Worker& worker);
void rr_server_block(Worker& worker);
// Both halves.
void rr_epoll(Worker& worker);
void rr_spin(Worker& worker);
void rr_uring(Worker& worker);
void udp_send_block(Worker& worker);
void udp_send_epoll(Worker& worker);
void udp_send_spin(Worker& worker);
void udp_receive_block(Worker& worker);
void udp_receive_epoll(Worker& worker);
void udp_receive_spin(Worker& worker);
void udp_rr_client_block(Worker& worker);
void udp_rr_server_block(Worker& worker);
// Both halves.
void udp_rr_epoll(Worker& worker);
void udp_rr_spin(Worker& worker);
void crr_client_block(Worker& worker);
void crr_server_block(Worker& worker);
void crr_client_epoll(Worker& worker);
void crr_server_epoll(Worker& worker);
void crr_client_spin(Worker& worker);
void crr_server_spin(Worker& worker);
void crr_client_uring(Worker& worker);
void crr_server_uring(Worker& worker);

// Throws std::invalid_argument where the engine cannot run on this host.
Worker::Loop select_loop(const Plan& plan);

}  // namespace cnb
