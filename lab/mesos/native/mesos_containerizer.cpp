// mesos-containerizer: the program through which an agent starts each container.
#include "launcher.hpp"

using namespace mesos::internal::slave;

template <typename T>
int run(T* command, int argc, char** argv) {
  const Option<std::string> prefix(std::string("MESOS_CONTAINERIZER_"));
  auto loaded = command->getFlags()->flags::FlagsBase::load(prefix, argc - 1, argv + 1, false, false);
  if (loaded.isError()) {
    std::cerr << "Failed to parse the flags: " << loaded.error() << std::endl;
    return 1;
  }
  return command->execute();
}

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "network-cni-setup") return run(new (zeroed<void>()) NetworkCniIsolatorSetup(), argc, argv);
  if (name != "launch") {
    std::cerr << "Subcommand '" << name << "' is not available\n"
              << "Usage: mesos-containerizer launch|network-cni-setup [OPTIONS]" << std::endl;
    return 1;
  }
  const size_t flagsOffset = 224;  // of the member "flags"; the constructor that would set it up is not exported
  auto* command = zeroed<MesosContainerizerLaunch>();
  auto* flags = new (reinterpret_cast<char*>(command) + flagsOffset) MesosContainerizerLaunch::Flags();
  if (command->getFlags() != static_cast<flags::FlagsBase*>(flags)) {
    std::cerr << "internal: unexpected layout of the subcommand" << std::endl;
    return 1;
  }
  return run(command, argc, argv);
}
