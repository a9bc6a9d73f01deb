# Vulkan on lavapipe: what the driver says of itself, and a frame drawn without a screen: a triangle by shaders, read back.
# time: 600
export HOME=$PWD XDG_RUNTIME_DIR=$PWD VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.x86_64.json
vulkaninfo --summary 2>/dev/null | grep -E 'deviceType|driverName|driverID' | sed 's/^[[:space:]]*//' | sort -u
vulkaninfo 2>/dev/null >all; grep -c 'VkQueueFamilyProperties\|queueProperties' all | sed 's/^[1-9][0-9]*$/queues/'; grep -o 'PHYSICAL_DEVICE_TYPE_CPU' all | sort -u; grep -om1 'maxImageDimension2D *= [0-9]*' all | tr -s ' '; grep -om1 'geometryShader *= [a-z]*' all | tr -s ' '
