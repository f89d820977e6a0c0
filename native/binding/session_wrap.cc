#include "binding/session_wrap.h"

#include "binding/convert.h"
#include "core/clock.h"
#include "loops/loops.h"

namespace cnb {

namespace {

// An event travels as the pointer itself: one that is never delivered, because the environment went away, leaks
// nothing.
void* as_data(Session::Event event) { return reinterpret_cast<void*>(static_cast<uintptr_t>(event) + 1); }
Session::Event as_event(void* data) { return static_cast<Session::Event>(reinterpret_cast<uintptr_t>(data) - 1); }

}  // namespace

Napi::Function SessionWrap::define(Napi::Env env) {
  return DefineClass(env, "Session",
                     {InstanceAccessor<&SessionWrap::port>("port"), InstanceMethod<&SessionWrap::go>("go"),
                      InstanceMethod<&SessionWrap::open_window>("openWindow"),
                      InstanceMethod<&SessionWrap::close_window>("closeWindow"),
                      InstanceMethod<&SessionWrap::stop>("stop"), InstanceMethod<&SessionWrap::snapshot>("snapshot"),
                      InstanceMethod<&SessionWrap::moved>("moved"), InstanceMethod<&SessionWrap::result>("result")});
}

SessionWrap::SessionWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionWrap>(info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[1].IsFunction()) {
    throw Napi::TypeError::New(env, "Session: expected a plan and a function");
  }
  Plan plan = plan_from(info[0]);
  notifier_ = Notifier::New(env, info[1].As<Napi::Function>(), "cnb-load session", 0, 1, this);
  try {
    const Worker::Loop loop = select_loop(plan);
    session_ = std::make_unique<Session>(std::move(plan), loop,
                                         [this](Session::Event event) { notifier_.NonBlockingCall(as_data(event)); });
  } catch (const SystemError& error) {
    notifier_.Release();
    throw to_js_error(env, error);
  } catch (const std::exception& error) {
    notifier_.Release();
    throw Napi::RangeError::New(env, error.what());
  }
  port_ = session_->port();
  // Hooks run in reverse order of registration: this one before the notifier's own, while it can still be called.
  napi_add_env_cleanup_hook(env, on_teardown, this);
  live_ = true;
  Ref();
}

SessionWrap::~SessionWrap() {
  // Not reached while live: Ref() and the teardown hook see to that.
  session_.reset();
}

void SessionWrap::on_teardown(void* data) {
  auto* wrap = static_cast<SessionWrap*>(data);
  wrap->live_ = false;
  wrap->session_.reset();
  wrap->notifier_.Release();
}

void SessionWrap::deliver(Napi::Env env, Napi::Function callback, SessionWrap* wrap, void* data) {
  // No environment or no session: it is being torn down, and nobody is left to tell.
  if (static_cast<napi_env>(env) == nullptr || !wrap->live_) return;
  Napi::Object event = Napi::Object::New(env);
  if (as_event(data) == Session::Event::ready) {
    event.Set("type", "ready");
  } else {
    event.Set("type", "ended");
    wrap->finish();
    event.Set("fault", to_js(env, wrap->result_->fault));
    wrap->release();
  }
  callback.Call({event});
}

// Gives back the descriptors, buffers and histograms of every worker, and joins the session's own thread, which has no
// more to do than to return from telling that it ended.
void SessionWrap::finish() {
  was_ready_ = session_->snapshot({}).ready;
  result_ = session_->result();
  session_.reset();
}

// The session has ended; from here on the object is an ordinary one that holds a result.
void SessionWrap::release() {
  live_ = false;
  napi_remove_env_cleanup_hook(Env(), on_teardown, this);
  notifier_.Release();
  Unref();
}

Napi::Value SessionWrap::port(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), port_); }

void SessionWrap::go(const Napi::CallbackInfo&) {
  if (session_) session_->go();
}

void SessionWrap::open_window(const Napi::CallbackInfo&) {
  if (session_) session_->open_window();
}

void SessionWrap::close_window(const Napi::CallbackInfo&) {
  if (session_) session_->close_window();
}

void SessionWrap::stop(const Napi::CallbackInfo&) {
  if (session_) session_->stop();
}

Napi::Value SessionWrap::snapshot(const Napi::CallbackInfo& info) {
  const SnapshotParts parts{.latency = info[0].ToBoolean(), .tcp = info[1].ToBoolean()};
  if (session_) return to_js(info.Env(), session_->snapshot(parts));
  Snapshot last{now_ns(), result_->window_ns, was_ready_, result_->window, std::nullopt, std::nullopt};
  if (parts.latency && result_->latencies) last.latency = result_->latencies->latency;
  if (parts.tcp) last.tcp = result_->tcp;
  return to_js(info.Env(), last);
}

Napi::Value SessionWrap::moved(const Napi::CallbackInfo& info) {
  const Session::Moved moved =
      session_ ? session_->moved() : Session::Moved{result_->total.bytes_sent, result_->total.bytes_received};
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("bytesSent", static_cast<double>(moved.sent));
  object.Set("bytesReceived", static_cast<double>(moved.received));
  return object;
}

Napi::Value SessionWrap::result(const Napi::CallbackInfo& info) {
  if (!result_) throw Napi::Error::New(info.Env(), "result: the session has not ended yet");
  return to_js(info.Env(), *result_);
}

}  // namespace cnb
