// mesos-agent: wires the parts of a real Mesos 1.11.0 agent, in the order of Mesos' own main().
#include <list>

#include "launcher.hpp"

using namespace mesos::internal;
using namespace mesos::internal::slave;
using mesos::master::detector::MasterDetector;
using std::string;

// PendingFutureTracker (it backs /containerizer/debug) is inline in Mesos' headers and its vtable is not in this
// library; so the object is laid out by hand: { vptr, std::list pending, virtual base ProcessBase }.
static PendingFutureTracker* makeTracker() {
  const ptrdiff_t baseOffset = 32;
  const size_t processBaseVtableWords = 14;
  void** primary = zeroed<void*>();
  primary[0] = reinterpret_cast<void*>(baseOffset);
  primary[2] = trackerTypeinfo;
  void** secondary = zeroed<void*>();
  memcpy(secondary, processBaseVtable, processBaseVtableWords * sizeof(void*));
  secondary[0] = reinterpret_cast<void*>(-baseOffset);
  secondary[1] = trackerTypeinfo;
  char* object = zeroed<char>();
  constructProcessBase(object + baseOffset, process::ID::generate("pending-future-tracker"));
  *reinterpret_cast<void**>(object) = primary + 3;
  *reinterpret_cast<void**>(object + baseOffset) = secondary + 2;
  new (object + sizeof(void*)) std::list<void*>();
  spawn(object, false);
  struct Data {
    void* process;
  };
  return reinterpret_cast<PendingFutureTracker*>(new (zeroed<void>()) std::shared_ptr<Data>(new Data{object}));
}

static void startSystemd(const Values& values) {
  if (!values.enabled("systemd_enable_support") || !systemd::exists()) return;
  LOG_INFO << "Initializing systemd state";
  auto* flags = new (zeroed<void>()) systemd::Flags();
  const std::map<string, string> given = {
      {"enabled", "true"},
      {"runtime_directory", values.text("systemd_runtime_directory")},
      {"cgroups_hierarchy", values.text("cgroups_hierarchy")}};
  flags->flags::FlagsBase::load(given, false, Option<string>());
  required(systemd::initialize(*flags), "Failed to initialize systemd");
}

// the folder that Mesos has compiled in for its helper programs is, here, the one this program lies in
static void defaultLauncherDir() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
  if (size <= 0) return;
  const string program(path, static_cast<size_t>(size));
  setenv("MESOS_LAUNCHER_DIR", program.substr(0, program.rfind('/')).c_str(), 0);
}

int main(int argc, char** argv) {
  defaultLauncherDir();
  auto* flags = new (zeroed<void>()) slave::Flags();
  const Values values = loadFlags(flags, "mesos-agent", argc, argv);
  refuse(values, {"firewall_rules", "csi_plugin_config_dir", "jwt_secret_key", "http_executor_domain_sockets",
                  "agent_subsystems"});
  if (!values.has("master") && !values.has("master_detector"))
    FAIL << "Missing required option `--master` or `--master_detector`";
  if (values.has("master") && values.has("master_detector"))
    FAIL << "Only one of `--master` or `--master_detector` should be specified";

  const string id = process::ID::generate("slave"), realm = "mesos-agent-readonly";
  startLibprocess(values, id, "mesos-agent-readwrite", realm.c_str());
  loadModules(values);
  startSystemd(values);

  auto* fetcher = new (zeroed<void>()) Fetcher(*flags);
  auto* collector = new (zeroed<void>()) GarbageCollector(values.text("work_dir"));
  auto* resolver = required(
      mesos::SecretResolver::create(values.option("secret_resolver")), "Failed to initialize secret resolver");
  VolumeGidManager* gids = nullptr;
  if (values.has("volume_gid_range"))
    gids = required(VolumeGidManager::create(*flags), "Failed to initialize volume gid manager");
  auto* tracker = makeTracker();
  auto* containerizer = required(
      Containerizer::create(*flags, false, fetcher, collector, resolver, gids, tracker, nullptr),
      "Failed to create a containerizer");
  const Duration timeout{parseDuration(values.text("zk_session_timeout"))};
  auto* detector = required(
      MasterDetector::create(urlOrFile(values, "master"), values.option("master_detector"), timeout),
      "Failed to create a master detector");
  const Option<mesos::Authorizer*> authorizer = makeAuthorizer(values, values.text("authorizer"));
  auto* files = new (zeroed<void>()) Files(realm, authorizer);
  auto* updates = new (zeroed<void>()) TaskStatusUpdateManager(*flags);
  auto* estimator = required(
      mesos::slave::ResourceEstimator::create(values.option("resource_estimator")),
      "Failed to create resource estimator");
  auto* qos = required(
      mesos::slave::QoSController::create(values.option("qos_controller")), "Failed to create QoS Controller");

  using DomainSocket = process::network::internal::Socket<process::network::unix::Address>;
  serve(new (zeroed<void>(1 << 20)) Slave(
      id, *flags, detector, containerizer, files, collector, updates, estimator, qos, nullptr, gids, tracker,
      process::Owned<CSIServer>(), Option<DomainSocket>(), authorizer));
}
