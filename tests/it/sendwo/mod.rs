mod conversation;
mod delivery_status;
