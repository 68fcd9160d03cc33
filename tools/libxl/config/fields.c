/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fields.c - the tables of fields.h. */
#include "config/fields.h"

#include <string.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define NO_FOREIGN SIZE_MAX
#define MEMKB_MAX ((int64_t)LIBXL__CONFIG_MEMKB_MAX)

const struct libxl__name libxl__names_domain_type[] = {
    {"hvm", LIBXL_DOMAIN_TYPE_HVM},
    {"pv", LIBXL_DOMAIN_TYPE_PV},
    {"pvh", LIBXL_DOMAIN_TYPE_PVH},
    {"invalid", LIBXL_DOMAIN_TYPE_INVALID},
    {NULL, 0},
};

const struct libxl__name libxl__names_action[] = {
    {"destroy", LIBXL_ACTION_ON_SHUTDOWN_DESTROY},
    {"restart", LIBXL_ACTION_ON_SHUTDOWN_RESTART},
    {"restart_rename", LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME},
    {"preserve", LIBXL_ACTION_ON_SHUTDOWN_PRESERVE},
    {"coredump_destroy", LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY},
    {"coredump_restart", LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART},
    {"soft_reset", LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET},
    {NULL, 0},
};

const struct libxl__name libxl__names_disk_format[] = {
    {"unknown", LIBXL_DISK_FORMAT_UNKNOWN},
    {"qcow", LIBXL_DISK_FORMAT_QCOW},
    {"qcow2", LIBXL_DISK_FORMAT_QCOW2},
    {"vhd", LIBXL_DISK_FORMAT_VHD},
    {"raw", LIBXL_DISK_FORMAT_RAW},
    {"empty", LIBXL_DISK_FORMAT_EMPTY},
    {"qed", LIBXL_DISK_FORMAT_QED},
    {NULL, 0},
};

const struct libxl__name libxl__names_disk_backend[] = {
    {"unknown", LIBXL_DISK_BACKEND_UNKNOWN},
    {"phy", LIBXL_DISK_BACKEND_PHY},
    {"tap", LIBXL_DISK_BACKEND_TAP},
    {"qdisk", LIBXL_DISK_BACKEND_QDISK},
    {"standalone", LIBXL_DISK_BACKEND_STANDALONE},
    {"vhost_user", LIBXL_DISK_BACKEND_VHOST_USER},
    {"vfio_user", LIBXL_DISK_BACKEND_VFIO_USER},
    {NULL, 0},
};

static const struct libxl__name names_nic_type[] = {
    {"unknown", LIBXL_NIC_TYPE_UNKNOWN},
    {"vif_ioemu", LIBXL_NIC_TYPE_VIF_IOEMU},
    {"vif", LIBXL_NIC_TYPE_VIF},
    {NULL, 0},
};

static const struct libxl__name words_bios[] = {
    {"unknown", 0}, {"rombios", 1}, {"seabios", 2}, {"ovmf", 3}, {NULL, 0},
};

static const struct libxl__name words_vga[] = {
    {"unknown", 0}, {"cirrus", 1}, {"std", 2},
    {"none", 3},    {"qxl", 4},    {NULL, 0},
};

static const struct libxl__name words_accel[] = {
    {"tcg", 0},
    {"kvm", 1},
    {NULL, 0},
};

#define AT(type, member) .offset = offsetof(type, member)

static const struct libxl__field create_info_rows[] = {
    {"type", KIND_ENUM, AT(libxl_domain_create_info, type),
     .def = LIBXL_DOMAIN_TYPE_INVALID, .names = libxl__names_domain_type},
    {"name", KIND_STRING, AT(libxl_domain_create_info, name)},
    {"domid", KIND_U32, AT(libxl_domain_create_info, domid)},
    {"uuid", KIND_UUID, AT(libxl_domain_create_info, uuid)},
    {"run_hotplug_scripts", KIND_DEFBOOL,
     AT(libxl_domain_create_info, run_hotplug_scripts), .def = true,
     .always = true},
};
static const struct libxl__fields create_info = {
    create_info_rows, ROWS(create_info_rows), 0, NO_FOREIGN};

static const struct libxl__field vga_rows[] = {
    {"kind", KIND_STRING, AT(libxl_domain_build_info, vga_kind),
     .names = words_vga},
};
static const struct libxl__fields vga = {vga_rows, ROWS(vga_rows), 0,
                                         NO_FOREIGN};

static const struct libxl__field vnc_rows[] = {
    {"enable", KIND_DEFBOOL, AT(libxl_vnc_info, enable), .always = true},
    {"listen", KIND_STRING, AT(libxl_vnc_info, listen)},
    {"passwd", KIND_STRING, AT(libxl_vnc_info, passwd)},
    {"display", KIND_INT, AT(libxl_vnc_info, display), .min = 0,
     .max = 65535 - 5900},
    {"findunused", KIND_DEFBOOL, AT(libxl_vnc_info, findunused)},
};
static const struct libxl__fields vnc = {vnc_rows, ROWS(vnc_rows), 0,
                                         NO_FOREIGN};

static const struct libxl__field hvm_rows[] = {
    {"bios", KIND_STRING, AT(libxl_domain_build_info, bios),
     .names = words_bios},
    {"apic", KIND_DEFBOOL, AT(libxl_domain_build_info, apic), .def = true},
    {"acpi", KIND_DEFBOOL, AT(libxl_domain_build_info, acpi), .def = true},
    {"system_firmware", KIND_STRING,
     AT(libxl_domain_build_info, bios_path_override)},
    {"nographic", KIND_DEFBOOL, AT(libxl_domain_build_info, nographic)},
    {"vga", KIND_OBJECT, .offset = 0, .sub = &vga},
    {"vnc", KIND_OBJECT, AT(libxl_domain_build_info, vnc), .sub = &vnc},
    {"keymap", KIND_STRING, AT(libxl_domain_build_info, keymap)},
    {"serial", KIND_STRINGS_ONE, AT(libxl_domain_build_info, serial)},
    {"boot", KIND_STRING, AT(libxl_domain_build_info, boot)},
    {"usb", KIND_DEFBOOL, AT(libxl_domain_build_info, usb)},
    {"usbdevice", KIND_STRINGS_ONE, AT(libxl_domain_build_info, usbdevice)},
    {"usbdevice_list", KIND_STRINGS_MANY,
     AT(libxl_domain_build_info, usbdevice)},
    {"serial_list", KIND_STRINGS_MANY, AT(libxl_domain_build_info, serial)},
};
static const struct libxl__fields hvm = {hvm_rows, ROWS(hvm_rows), 0,
                                         NO_FOREIGN};
static const struct libxl__fields nothing = {NULL, 0, 0, NO_FOREIGN};

static const struct libxl__field build_info_rows[] = {
    {"max_vcpus", KIND_INT, AT(libxl_domain_build_info, max_vcpus), .def = 1,
     .min = 1, .max = LIBXL__CONFIG_VCPUS_MAX, .always = true},
    {"avail_vcpus", KIND_VCPUS, AT(libxl_domain_build_info, avail_vcpus),
     .def = 1, .min = 1, .max = LIBXL__CONFIG_VCPUS_MAX, .always = true},
    {"max_memkb", KIND_U64, AT(libxl_domain_build_info, max_memkb),
     .def = 128 * 1024, .min = 0, .max = MEMKB_MAX, .always = true},
    {"target_memkb", KIND_U64, AT(libxl_domain_build_info, target_memkb),
     .min = 0, .max = MEMKB_MAX},
    {"video_memkb", KIND_U64, AT(libxl_domain_build_info, video_memkb),
     .min = 0, .max = MEMKB_MAX},
    {"shadow_memkb", KIND_U64, AT(libxl_domain_build_info, shadow_memkb),
     .min = 0, .max = MEMKB_MAX},
    {"rtc_timeoffset", KIND_I64, AT(libxl_domain_build_info, rtc_timeoffset),
     .min = INT32_MIN, .max = UINT32_MAX},
    {"localtime", KIND_DEFBOOL, AT(libxl_domain_build_info, localtime)},
    {"device_model", KIND_STRING,
     AT(libxl_domain_build_info, device_model_override)},
    {"extra", KIND_STRINGS, AT(libxl_domain_build_info, extra)},
    {"kernel", KIND_STRING, AT(libxl_domain_build_info, kernel)},
    {"cmdline", KIND_STRING, AT(libxl_domain_build_info, cmdline)},
    {"ramdisk", KIND_STRING, AT(libxl_domain_build_info, ramdisk)},
    {"type.hvm", KIND_OBJECT, .offset = 0, .always = true,
     .only_type = LIBXL_DOMAIN_TYPE_HVM, .sub = &hvm},
    {"type.pv", KIND_OBJECT, .offset = 0, .always = true,
     .only_type = LIBXL_DOMAIN_TYPE_PV, .sub = &nothing},
    {"type.pvh", KIND_OBJECT, .offset = 0, .always = true,
     .only_type = LIBXL_DOMAIN_TYPE_PVH, .sub = &nothing},
};
static const struct libxl__fields build_info = {
    build_info_rows, ROWS(build_info_rows), 0, NO_FOREIGN};

static const struct libxl__field qemu_host_rows[] = {
    {"machine", KIND_STRING, AT(libxl_qemu_host_info, machine)},
    {"cpu_model", KIND_STRING, AT(libxl_qemu_host_info, cpu_model)},
    {"accel", KIND_STRING, AT(libxl_qemu_host_info, accel),
     .names = words_accel},
};
static const struct libxl__fields qemu_host = {
    qemu_host_rows, ROWS(qemu_host_rows), 0, NO_FOREIGN};

static const struct libxl__field disk_rows[] = {
    {"pdev_path", KIND_STRING, AT(libxl_device_disk, pdev_path)},
    {"vdev", KIND_STRING, AT(libxl_device_disk, vdev)},
    {"backend", KIND_ENUM, AT(libxl_device_disk, backend),
     .names = libxl__names_disk_backend},
    {"format", KIND_ENUM, AT(libxl_device_disk, format),
     .names = libxl__names_disk_format},
    {"script", KIND_STRING, AT(libxl_device_disk, script)},
    {"removable", KIND_BOOL, AT(libxl_device_disk, removable),
     .as_number = true},
    {"readwrite", KIND_BOOL, AT(libxl_device_disk, readwrite),
     .as_number = true},
    {"is_cdrom", KIND_BOOL, AT(libxl_device_disk, is_cdrom),
     .as_number = true},
    {"direct_io_safe", KIND_BOOL, AT(libxl_device_disk, direct_io_safe)},
    {"discard_enable", KIND_DEFBOOL, AT(libxl_device_disk, discard_enable),
     .def = true},
    {NULL, KIND_STRING, AT(libxl_device_disk, foreign_json)},
};
const struct libxl__fields libxl__fields_disk = {
    disk_rows, ROWS(disk_rows), sizeof(libxl_device_disk),
    offsetof(libxl_device_disk, foreign_json)};

static const struct libxl__field nic_rows[] = {
    {"devid", KIND_INT, AT(libxl_device_nic, devid), .def = -1, .min = -1,
     .max = 65535},
    {"mtu", KIND_INT, AT(libxl_device_nic, mtu), .min = 0, .max = 65535},
    {"model", KIND_STRING, AT(libxl_device_nic, model)},
    {"mac", KIND_MAC, AT(libxl_device_nic, mac)},
    {"ip", KIND_STRING, AT(libxl_device_nic, ip)},
    {"bridge", KIND_STRING, AT(libxl_device_nic, bridge)},
    {"ifname", KIND_STRING, AT(libxl_device_nic, ifname)},
    {"script", KIND_STRING, AT(libxl_device_nic, script)},
    {"nictype", KIND_ENUM, AT(libxl_device_nic, nictype),
     .names = names_nic_type},
    {"rate_bytes_per_interval", KIND_U64,
     AT(libxl_device_nic, rate_bytes_per_interval)},
    {"rate_interval_usecs", KIND_U32,
     AT(libxl_device_nic, rate_interval_usecs)},
    {NULL, KIND_STRING, AT(libxl_device_nic, foreign_json)},
};
const struct libxl__fields libxl__fields_nic = {
    nic_rows, ROWS(nic_rows), sizeof(libxl_device_nic),
    offsetof(libxl_device_nic, foreign_json)};

static const struct libxl__field vfio_user_rows[] = {
    {"name", KIND_STRING, AT(libxl_device_vfio_user, name)},
    {"program", KIND_STRING, AT(libxl_device_vfio_user, program)},
    {"args", KIND_STRINGS, AT(libxl_device_vfio_user, args)},
    {NULL, KIND_STRING, AT(libxl_device_vfio_user, foreign_json)},
};
const struct libxl__fields libxl__fields_vfio_user = {
    vfio_user_rows, ROWS(vfio_user_rows), sizeof(libxl_device_vfio_user),
    offsetof(libxl_device_vfio_user, foreign_json)};

static const struct libxl__field config_rows[] = {
    {"c_info", KIND_OBJECT, AT(libxl_domain_config, c_info), .always = true,
     .sub = &create_info},
    {"b_info", KIND_OBJECT, AT(libxl_domain_config, b_info), .always = true,
     .sub = &build_info},
    {"disks", KIND_ARRAY, AT(libxl_domain_config, disks),
     .sub = &libxl__fields_disk,
     .count_offset = offsetof(libxl_domain_config, num_disks)},
    {"nics", KIND_ARRAY, AT(libxl_domain_config, nics),
     .sub = &libxl__fields_nic,
     .count_offset = offsetof(libxl_domain_config, num_nics)},
    {"vfio_user", KIND_ARRAY, AT(libxl_domain_config, vfio_users),
     .sub = &libxl__fields_vfio_user,
     .count_offset = offsetof(libxl_domain_config, num_vfio_users)},
    {"on_poweroff", KIND_ENUM, AT(libxl_domain_config, on_poweroff),
     .def = LIBXL_ACTION_ON_SHUTDOWN_DESTROY, .names = libxl__names_action},
    {"on_reboot", KIND_ENUM, AT(libxl_domain_config, on_reboot),
     .def = LIBXL_ACTION_ON_SHUTDOWN_DESTROY, .names = libxl__names_action},
    {"on_watchdog", KIND_ENUM, AT(libxl_domain_config, on_watchdog),
     .def = LIBXL_ACTION_ON_SHUTDOWN_DESTROY, .names = libxl__names_action},
    {"on_crash", KIND_ENUM, AT(libxl_domain_config, on_crash),
     .def = LIBXL_ACTION_ON_SHUTDOWN_DESTROY, .names = libxl__names_action},
    {"on_soft_reset", KIND_ENUM, AT(libxl_domain_config, on_soft_reset),
     .def = LIBXL_ACTION_ON_SHUTDOWN_DESTROY, .names = libxl__names_action},
    {"qemu_host", KIND_OBJECT, AT(libxl_domain_config, qemu_host),
     .sub = &qemu_host},
    {NULL, KIND_STRING, AT(libxl_domain_config, foreign_json)},
};
const struct libxl__fields libxl__fields_config = {
    config_rows, ROWS(config_rows), sizeof(libxl_domain_config),
    offsetof(libxl_domain_config, foreign_json)};

int libxl__name_find(const struct libxl__name *names, const char *name,
                     int *value)
{
    for (; names->name; names++) {
        if (!strcmp(names->name, name)) {
            *value = names->value;
            return 0;
        }
    }
    return -1;
}

const char *libxl__name_of(const struct libxl__name *names, int value)
{
    for (; names->name; names++) {
        if (names->value == value)
            return names->name;
    }
    return NULL;
}
